"""Who is let in, by which way, and what the others are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client, override_settings
from django.utils import timezone

from monitoring.api import rates, tokens
from monitoring.models import ApiToken
from tests.factories import make_user

from .conftest import basic, bearer

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/"


def test_nobody_is_told_how_to_sign_in(client: Client) -> None:
    response = client.get(ROOT)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert "Bearer" in response["WWW-Authenticate"]
    assert "Basic" in response["WWW-Authenticate"]
    assert response.json()["detail"]


def test_a_session_a_password_and_a_token_let_the_same_user_in(client: Client) -> None:
    user = make_user("ann", "view_task", "revoke_task")
    scopes = ("view_task", "revoke_task")
    answers = [
        client.get(ROOT, headers=basic("ann", "ann")).json(),
        client.get(ROOT, headers=bearer(user, *scopes)).json(),
    ]
    client.force_login(user)
    answers.append(client.get(ROOT).json())
    for answer in answers:
        assert answer["user"] == "ann"
        assert answer["permissions"] == ["monitoring.revoke_task", "monitoring.view_task"]
    assert [bool(answer["token"]) for answer in answers] == [False, True, False]


class TestTokens:
    def test_a_token_is_kept_as_a_digest_only(self) -> None:
        token, text = tokens.create(make_user("ann"), "script", ["view_task"])
        assert text.startswith(token.prefix)
        assert len(text) > 50
        stored = ApiToken.objects.values().get()
        assert text not in str(stored)
        assert text.removeprefix(token.prefix) not in str(stored)

    def test_it_does_what_its_scopes_and_its_user_have_in_common(self, client: Client) -> None:
        user = make_user("ann", "view_task", "revoke_task")
        headers = bearer(user, "view_task", "shutdown_worker")
        assert client.get(ROOT, headers=headers).json()["permissions"] == ["monitoring.view_task"]

    def test_a_superusers_token_has_its_scopes_and_no_more(self, client: Client, admin_user: Any) -> None:
        headers = bearer(admin_user, "view_worker")
        assert client.get(ROOT, headers=headers).json()["permissions"] == ["monitoring.view_worker"]

    def test_a_permission_that_was_taken_from_the_user_is_gone_from_the_token(self, client: Client) -> None:
        user = make_user("ann", "view_task")
        headers = bearer(user, "view_task")
        user.user_permissions.clear()
        assert client.get(ROOT, headers=headers).json()["permissions"] == []

    @pytest.mark.parametrize("ending", ["expired", "revoked", "user inactive", "user deleted"])
    def test_it_is_refused_once_it_has_ended(self, client: Client, ending: str) -> None:
        user = make_user("ann", "view_task")
        token, text = tokens.create(user, "script", ["view_task"], timezone.now() + timedelta(hours=1))
        headers = {"Authorization": f"Bearer {text}"}
        assert client.get(ROOT, headers=headers).status_code == 200
        match ending:
            case "expired":
                ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
            case "revoked":
                tokens.revoke(token)
            case "user inactive":
                user.is_active = False
                user.save()
            case "user deleted":
                user.delete()
        response = client.get(ROOT, headers=headers)
        assert response.status_code == 401
        assert "WWW-Authenticate" in response

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
            lambda text: text[:12],
            lambda text: text + "x",
            lambda text: "mon_" + "a" * 8 + text[12:],
            lambda text: "",
            lambda text: "mon_\u00e9",
            lambda text: "_" * 500,
        ],
    )
    def test_a_guessed_one_is_refused(self, client: Client, change: Any) -> None:
        _token, text = tokens.create(make_user("ann", "view_task"), "script", ["view_task"])
        assert tokens.find(text) is not None
        assert tokens.find(change(text)) is None

    def test_a_wrong_token_is_refused_where_a_session_would_do(self, admin_client: Client) -> None:
        response = admin_client.get(ROOT, headers={"Authorization": "Bearer mon_aaaaaaaa_wrong"})
        assert response.status_code == 401

    def test_its_last_use_is_written_once_a_minute(self, client: Client) -> None:
        headers = bearer(make_user("ann"), "view_task")
        client.get(ROOT, headers=headers)
        first = ApiToken.objects.get().last_used_at
        assert first is not None
        client.get(ROOT, headers=headers)
        assert ApiToken.objects.get().last_used_at == first
        ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
        client.get(ROOT, headers=headers)
        assert ApiToken.objects.get().last_used_at >= first


class TestThrottling:
    @pytest.fixture(autouse=True)
    def _one_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A test that runs over the end of a minute counts in one all the same."""
        monkeypatch.setattr(rates.time, "time", lambda: 1_000_000.0)

    def limits(self, settings: Any, **limits: Any) -> None:
        settings.MONITORING = {**settings.MONITORING, **limits}

    def test_a_user_who_asks_too_often_waits(self, client: Client, settings: Any) -> None:
        self.limits(settings, API_RATE=2)
        user = make_user("ann")
        ways = [basic("ann", "ann"), bearer(user, "view_task"), bearer(user, "view_worker")]
        responses = [client.get(ROOT, headers=headers) for headers in ways]
        assert [response.status_code for response in responses] == [200, 200, 429], "all ways count together"
        assert 0 < int(responses[-1]["Retry-After"]) <= 60
        make_user("bob")
        assert client.get(ROOT, headers=basic("bob", "bob")).status_code == 200

    def test_without_a_rate_nobody_waits(self, client: Client, settings: Any) -> None:
        self.limits(settings, API_RATE=None)
        headers = bearer(make_user("ann"), "view_task")
        assert {client.get(ROOT, headers=headers).status_code for _ in range(5)} == {200}

    def test_a_password_cannot_be_guessed_fast(self, client: Client, settings: Any) -> None:
        self.limits(settings, API_FAILED_SIGN_INS=3)
        make_user("ann")
        wrong = [client.get(ROOT, headers=basic("ann", f"guess {n}")).status_code for n in range(4)]
        assert wrong == [401, 401, 401, 429]
        assert client.get(ROOT, headers=basic("ann", "ann")).status_code == 429, "not even the right one"
        make_user("bob")
        assert client.get(ROOT, headers=basic("bob", "bob")).status_code == 200

    def test_a_right_token_is_let_in_whatever_others_tried(self, client: Client, settings: Any) -> None:
        self.limits(settings, API_FAILED_SIGN_INS=2)
        headers = {"Authorization": "Bearer mon_aaaaaaaa_wrong"}
        assert [client.get(ROOT, headers=headers).status_code for _ in range(3)] == [401, 401, 429]
        assert client.get(ROOT, headers=bearer(make_user("ann"), "view_task")).status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!", "Basic YQ==", "Basic YQ== YQ==", "Bearer", "basic Og==", "Basic AGE6Yg=="]
)
def test_a_broken_header_is_a_401(client: Client, header: str) -> None:
    assert client.get(ROOT, headers={"Authorization": header}).status_code == 401


@override_settings(REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "EXCEPTION_HANDLER": "no.such.handler"})
def test_a_hosts_settings_change_nothing(client: Client) -> None:
    response = client.get(ROOT)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


class TestCommand:
    def test_a_token_that_it_makes_works_until_it_revokes_it(self, client: Client, capsys: Any) -> None:
        make_user("ann", "view_task")
        call_command("monitoring_token", "create", "nightly", "--user=ann", "--scope=view_task", "--days=7")
        text = capsys.readouterr().out.strip()
        headers = {"Authorization": f"Bearer {text}"}
        assert client.get(ROOT, headers=headers).json()["permissions"] == ["monitoring.view_task"]
        token = ApiToken.objects.get()
        assert token.expires_at is not None
        assert abs(token.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=5)
        call_command("monitoring_token", "list")
        listed = capsys.readouterr().out
        assert token.prefix in listed
        assert "nightly" in listed
        assert text not in listed
        call_command("monitoring_token", "revoke", token.prefix)
        assert client.get(ROOT, headers=headers).status_code == 401

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["create", "x", "--user=nobody", "--scope=view_task"], "no user nobody"),
            (["create", "x", "--user=ann", "--scope=fly"], "monitoring.fly"),
            (["create", "x", "--user=ann", "--scope=auth.view_user"], "auth.view_user"),
            (["create", "x", "--user=ann", "--scope=view_task", "--days=0"], "--days"),
            (["revoke", "mon_aaaaaaaa"], "no token"),
        ],
    )
    def test_mistakes_are_said(self, arguments: list[str], words: str) -> None:
        make_user("ann")
        with pytest.raises(CommandError, match=words):
            call_command("monitoring_token", *arguments)
        assert not ApiToken.objects.exists()

    def test_a_scope_that_the_user_lacks_is_warned_of(self, capsys: Any) -> None:
        make_user("ann")
        call_command("monitoring_token", "create", "x", "--user=ann", "--scope=revoke_task")
        assert "has no monitoring.revoke_task" in capsys.readouterr().err
