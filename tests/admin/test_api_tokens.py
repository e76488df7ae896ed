"""The page of API tokens: made for oneself, shown once, revoked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from monitoring.api import tokens
from monitoring.models import ApiToken, AuditEntry
from monitoring.models.audit_entry import Ending
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PERMISSIONS = ("view_apitoken", "add_apitoken", "view_task")


def url(name: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:monitoring_apitoken_{name}", args=arguments)


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(make_user("ann", *PERMISSIONS))
    return signed_in


def test_a_new_token_is_shown_once_and_works(client: Client) -> None:
    form = {"name": "nightly", "scopes": ["monitoring.view_task"], "days": "30"}
    response = client.post(url("make"), form)
    token = ApiToken.objects.get()
    text = next(word for word in response.content.decode().split('"mon-token">')[1].split("<"))
    assert tokens.find(text) == token
    assert f'data-copy="{text}"' in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert (token.user.username, token.name, token.scopes) == ("ann", "nightly", ["monitoring.view_task"])
    assert token.expires_at is not None
    page = client.get(url()).content.decode()
    assert token.prefix in page
    assert text not in page
    assert LogEntry.objects.get().object_id == str(token.pk)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "scopes": ["monitoring.view_task"], "days": ""}, "required"),
        ({"name": "x", "scopes": [], "days": ""}, "required"),
        ({"name": "x", "scopes": ["monitoring.shutdown_worker"], "days": ""}, "not one of the available"),
        ({"name": "x", "scopes": ["auth.add_user"], "days": ""}, "not one of the available"),
    ],
)
def test_mistakes_and_what_one_may_not_oneself_are_refused(
    client: Client, form: dict[str, Any], words: str
) -> None:
    response = client.post(url("make"), form)
    assert words in response.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_without_an_end_can_be_made(client: Client) -> None:
    client.post(url("make"), {"name": "x", "scopes": ["monitoring.view_task"], "days": ""})
    assert ApiToken.objects.get().expires_at is None


def test_a_revoked_token_is_refused_at_once(client: Client) -> None:
    token, text = tokens.create(User.objects.get(username="ann"), "script", ["view_task"])
    assert client.get(url("revoke", token.pk)).status_code == 405
    assert tokens.find(text) is not None
    client.post(url("revoke", token.pk))
    assert tokens.find(text) is None
    assert "revoked" in client.get(url()).content.decode()


def test_others_tokens_are_theirs(client: Client) -> None:
    token, text = tokens.create(make_user("bob", "view_task"), "bobs script", ["view_task"])
    assert token.prefix not in client.get(url()).content.decode()
    assert client.post(url("revoke", token.pk)).status_code == 404
    assert tokens.find(text) is not None
    manager = Client()
    manager.force_login(make_user("eve", "view_apitoken", "manage_apitoken"))
    assert token.prefix in manager.get(url()).content.decode()
    assert manager.post(url("revoke", token.pk)).status_code == 302
    assert tokens.find(text) is None


def test_making_needs_its_permission() -> None:
    reader = Client()
    reader.force_login(make_user("reader", "view_apitoken", "view_task"))
    assert "Make a token" not in reader.get(url()).content.decode()
    form = {"name": "x", "scopes": ["monitoring.view_task"], "days": ""}
    assert reader.post(url("make"), form).status_code == 403
    assert not ApiToken.objects.exists()


def test_a_name_is_shown_as_text(client: Client) -> None:
    client.post(url("make"), {"name": "<b>x</b>", "scopes": ["monitoring.view_task"], "days": ""})
    assert "<b>x</b>" not in client.get(url()).content.decode()


def test_permissions_are_said_in_words_with_their_code_names(client: Client) -> None:
    tokens.create(User.objects.get(username="ann"), "script", ["view_task"])
    page = client.get(url()).content.decode()
    assert '<span title="monitoring.view_task">Can view task</span>' in page
    assert 'Can view task<br><code class="mon-dim mon-small">view_task</code>' in page


def test_making_and_revoking_stand_in_the_audit_log_without_the_token(client: Client) -> None:
    form = {"name": "nightly", "scopes": ["monitoring.view_task"], "days": "30"}
    text = client.post(url("make"), form).content.decode().split('"mon-token">')[1].split("<")[0]
    token = ApiToken.objects.get()
    client.post(url("revoke", token.pk))
    revoked, made = AuditEntry.objects.all()
    assert (made.verb, revoked.verb) == ("apitoken_make", "apitoken_revoke")
    for entry in (made, revoked):
        assert (entry.user_name, entry.via, entry.ending) == ("ann", "admin", Ending.DONE)
        assert entry.targets == ["nightly (ann)"]
        assert entry.target_count == entry.done == 1
        assert entry.results[0][2] == token.prefix
        stored = json.dumps(model_to_dict(entry), default=str)
        assert text.removeprefix(f"{token.prefix}_") not in stored
        assert token.digest not in stored
    assert made.parameters["scopes"] == ["monitoring.view_task"]
    assert token.expires_at is not None
    assert made.parameters["expires_at"] == token.expires_at.isoformat()
    reader = Client()
    reader.force_login(make_user("auditor", "view_auditentry"))
    page = reader.get(reverse("admin:monitoring_auditentry_changelist")).content.decode()
    assert "made an API token" in page
    assert "revoked an API token" in page
    assert page.count(">nightly (ann)<") == 2
    detail = reader.get(reverse("admin:monitoring_auditentry_change", args=[made.pk])).content.decode()
    assert "nightly (ann)" in detail


def test_anothers_token_that_a_manager_revokes_is_told_with_its_owner() -> None:
    token, _text = tokens.create(make_user("bob", "view_task"), "bobs script", ["view_task"])
    manager = Client()
    manager.force_login(make_user("eve", "view_apitoken", "manage_apitoken"))
    manager.post(url("revoke", token.pk))
    entry = AuditEntry.objects.get()
    assert (entry.user_name, entry.targets) == ("eve", ["bobs script (bob)"])


@pytest.mark.parametrize(
    ("permissions", "staff", "scope", "words"),
    [
        (("view_apitoken", "view_task"), True, "view_task", "monitoring.add_apitoken"),
        (("add_apitoken", "view_task"), True, "view_task", "monitoring.view_apitoken"),
        (("view_apitoken", "add_apitoken"), True, "shutdown_worker", "monitoring.shutdown_worker"),
        (PERMISSIONS, False, "view_task", "a user who may use the admin"),
    ],
)
def test_making_that_is_refused_stands_in_the_audit_log(
    permissions: tuple[str, ...], staff: bool, scope: str, words: str
) -> None:
    user = make_user("joe", *permissions)
    User.objects.filter(pk=user.pk).update(is_staff=staff)
    stranger = Client()
    stranger.force_login(User.objects.get(pk=user.pk))
    stranger.post(url("make"), {"name": "x", "scopes": [f"monitoring.{scope}"], "days": ""})
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.ending, entry.targets) == ("apitoken_make", Ending.REFUSED, ["x (joe)"])
    assert words in entry.words
    assert not ApiToken.objects.exists()
    reader = Client()
    reader.force_login(make_user("auditor", "view_auditentry"))
    page = reader.get(reverse("admin:monitoring_auditentry_changelist")).content.decode()
    assert "tried: Make an API token" in page


@pytest.mark.parametrize(
    ("permissions", "words"),
    [(("view_apitoken",), "monitoring.manage_apitoken"), ((), "monitoring.view_apitoken")],
)
def test_revoking_that_is_refused_stands_in_the_audit_log_and_tells_nothing_of_the_token(
    permissions: tuple[str, ...], words: str
) -> None:
    token, text = tokens.create(make_user("bob", "view_task"), "bobs script", ["view_task"])
    other = Client()
    other.force_login(make_user("joe", *permissions))
    other.post(url("revoke", token.pk))
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.ending, entry.targets) == ("apitoken_revoke", Ending.REFUSED, [str(token.pk)])
    assert words in entry.words
    assert tokens.find(text) is not None


def test_a_mistake_in_the_form_is_no_refused_try(client: Client) -> None:
    client.post(url("make"), {"name": "", "scopes": ["monitoring.view_task", "auth.add_user"], "days": ""})
    assert not AuditEntry.objects.exists()
