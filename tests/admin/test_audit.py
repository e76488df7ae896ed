"""The audit log: who may read it, what it shows, and that nothing changes it."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.admin.audit_rows import audit_row
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.control.perform import perform
from monitoring.models import AuditEntry
from monitoring.queries.audit import AuditFilter, audit_entries
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_user

pytestmark = pytest.mark.django_db

EVIL = "\"'><img src=x onerror=alert(2)><script>alert(1)</script>{{ 7*7 }}"
LIST = "admin:monitoring_auditentry_changelist"
EXPORT = "admin:monitoring_auditentry_export"


def client_of(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_user("reader", *permissions))
    return client


def make_entry(**fields: Any) -> AuditEntry:
    defaults: dict[str, Any] = {
        "at": timezone.now(),
        "user_id": "7",
        "user_name": "oskar",
        "verb": "delete",
        "target_kind": "task",
        "targets": ["a"],
        "target_count": 1,
        "ending": "done",
        "done": 1,
        "duration": 0.25,
    }
    return AuditEntry.objects.create(**{**defaults, **fields})


def page_of(entry: AuditEntry) -> str:
    return reverse("admin:monitoring_auditentry_change", args=[entry.pk])


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def test_a_use_and_a_refused_attempt_can_be_read() -> None:
    task = make_task("task-1")
    viewer = make_user("priya", "view_task")
    with pytest.raises(Exception, match="permission"):
        perform("delete", [task.pk], Actor(viewer), reason="by mistake")
    perform("delete", [task.pk], Actor(make_user("oskar", "delete_task")), reason="disk is full")
    html = client_of("view_auditentry").get(reverse(LIST)).content.decode()
    for words in ("priya", "tried: Delete record", "refused", "by mistake"):
        assert words in html
    for words in ("oskar", "deleted the record", "task-1", "disk is full"):
        assert words in html


def test_the_page_of_an_entry_has_the_result_per_target() -> None:
    make_task("gone")
    make_task("live", state="STARTED")
    actor = Actor(make_user("oskar", "delete_task"), via="api", address="192.0.2.7")
    report = perform("delete", ["gone", "live"], actor)
    assert report.entry is not None
    AuditEntry.objects.update(parameters={"limit": 3})
    html = client_of("view_auditentry").get(page_of(report.entry)).content.decode()
    for words in ("gone", "live", "next event would bring the record back", "192.0.2.7", "api", "limit"):
        assert words in html


@pytest.mark.parametrize("permissions", [(), ("view_task",), ("view_task", "delete_task", "view_payload")])
def test_it_needs_its_own_permission(permissions: tuple[str, ...]) -> None:
    entry = make_entry()
    client = client_of(*permissions)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(page_of(entry)).status_code == 403


def test_nothing_in_the_admin_changes_or_deletes_an_entry(admin_client: Client, rf: Any) -> None:
    entry = make_entry()
    page = admin.site.get_model_admin(AuditEntry)
    request = rf.get("/")
    request.user = make_user("root")
    request.user.is_superuser = True
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request, entry)
    assert not page.has_delete_permission(request, entry)
    before = AuditEntry.objects.values().get()
    base = reverse(LIST)
    posts = (base, page_of(entry), f"{base}add/", f"{base}{entry.pk}/delete/", f"{base}{entry.pk}/")
    for path in posts:
        admin_client.post(path, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.values().get() == before


def test_there_is_no_permission_to_change_or_delete_one() -> None:
    assert AuditEntry._meta.default_permissions == ("view",)


def test_an_entry_outlives_its_user_and_its_target() -> None:
    user = make_user("oskar", "delete_task")
    make_task("gone")
    perform("delete", ["gone"], Actor(user))
    user.delete()
    html = client_of("view_auditentry").get(reverse(LIST)).content.decode()
    assert "oskar" in html
    assert "gone" in html


@pytest.mark.parametrize(
    "query",
    ["who=oskar", "verb=purge", "ending=refused", "target=needle", "via=api", "from=2026-01-02T00:00:00Z",
     "to=2026-01-02T00:00:00Z"],
)  # fmt: skip
def test_each_filter_narrows(query: str) -> None:
    now = timezone.now()
    wanted = make_entry(
        user_name="oskar", verb="purge", ending="refused", targets=["x", "needle"], via="api",
        at=now if query.startswith("from") else now.replace(year=2026, month=1, day=1),
        reason="WANTED",
    )  # fmt: skip
    make_entry(
        user_name="marta", targets=["needles", "need"], at=wanted.at.replace(year=2025, month=1, day=1)
        if query.startswith("from") else wanted.at + timedelta(days=5), reason="OTHER",
    )  # fmt: skip
    html = client_of("view_auditentry").get(f"{reverse(LIST)}?{query}").content.decode()
    assert "WANTED" in html
    assert "OTHER" not in html


@pytest.mark.django_db(databases=["default", "postgresql"])
@pytest.mark.parametrize("using", ["default", "postgresql"])
@pytest.mark.parametrize("target", ["plain", "ünï-🎉", "quote'\"", "back\\slash", "%", "[]", "null", "1"])
def test_a_target_is_found_by_its_whole_id(using: str, target: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("django.db.router.db_for_read", lambda model, **hints: using)
    entry = AuditEntry.objects.using(using).create(
        at=timezone.now(), targets=["other", target], verb="delete"
    )
    AuditEntry.objects.using(using).create(
        at=timezone.now(), targets=[f"{target}x", f"x{target}"], verb="delete"
    )
    found = audit_entries(None, Visibility.everything(), AuditFilter.from_query({"target": target}), None)
    assert [row.pk for row in found.rows] == [entry.pk]


@pytest.mark.parametrize("value", [EVIL, "\0", "x" * 3000, "'; DROP TABLE monitoring_auditentry; --"])
def test_no_filter_breaks_the_page(value: str) -> None:
    make_entry()
    names = ("who", "verb", "ending", "via", "target", "from", "to", "before", "after")
    response = client_of("view_auditentry").get(reverse(LIST), dict.fromkeys(names, value))
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_hostile_text_is_escaped() -> None:
    entry = make_entry(
        user_name=EVIL, verb="x", targets=[EVIL], reason=EVIL, words=EVIL, query=EVIL, parameters={EVIL: EVIL},
        results=[[EVIL, "failed", EVIL, 0.1]], address=EVIL, via="x", user_id=EVIL,
    )  # fmt: skip
    client = client_of("view_auditentry")
    for path in (reverse(LIST), page_of(entry)):
        html = client.get(path).content.decode()
        assert "alert(1)" in html
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "\"'>" not in html


def test_a_limited_user_reads_only_their_own(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    user = make_user("limited", "view_auditentry")
    client = Client()
    client.force_login(user)
    own = make_entry(user_id=str(user.pk), reason="OWN")
    other = make_entry(reason="OTHER")
    html = client.get(reverse(LIST)).content.decode()
    assert "OWN" in html
    assert "OTHER" not in html
    assert client.get(page_of(own)).status_code == 200
    assert client.get(page_of(other)).status_code == 302


@pytest.mark.parametrize("key", ["0", "99999999999999999999999", "x", "-1", "١", "1.5"])
def test_an_entry_that_is_not_there_leads_back(key: str) -> None:
    response = client_of("view_auditentry").get(reverse("admin:monitoring_auditentry_change", args=[key]))
    assert response.status_code == 302
    assert response["Location"] == reverse(LIST)


def test_a_long_log_has_pages_and_each_entry_once(django_assert_max_num_queries: Any) -> None:
    moment = timezone.now()
    for index in range(230):
        make_entry(at=moment, reason=f"R{index:04}R")
    client, seen, path = client_of("view_auditentry"), [], reverse(LIST)
    while path:
        with django_assert_max_num_queries(12):
            response = client.get(path)
        seen += [row.entry.reason for row in response.context["rows"]]
        older = response.context["older_url"]
        path = f"{reverse(LIST)}{older}" if older else ""
    assert len(seen) == len(set(seen)) == 230


def test_an_entry_that_was_begun_stands_before_anything_is_done() -> None:
    entry = audit.begin(Actor(make_user("oskar")), "delete", "task", ["a"])
    assert AuditEntry.objects.get(pk=entry.pk).ending == "started"
    assert "started" in client_of("view_auditentry").get(reverse(LIST)).content.decode()


def test_hostile_targets_are_stored_bounded() -> None:
    entry = audit.begin(
        Actor(make_user("oskar")), "v" * 900, "task", ["x\0" * 5000] * 300, reason="r" * 90_000
    )
    entry.refresh_from_db()
    assert entry.target_count == 300
    assert len(entry.targets) == 100
    assert max(map(len, entry.targets)) <= 1_000
    assert "\0" not in entry.targets[0]
    assert len(entry.reason) <= 1_000


def exported(client: Client, **parameters: str) -> str:
    response = client.get(reverse(EXPORT), parameters)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content).decode()


def test_all_that_match_are_exported_a_page_after_the_other(django_assert_max_num_queries: Any) -> None:
    moment = timezone.now()
    for index in range(230):
        make_entry(at=moment, reason=f"R{index:04}")
    make_entry(verb="purge", reason="OTHER")
    client = client_of("view_auditentry")
    with django_assert_max_num_queries(12):
        rows = list(csv.DictReader(io.StringIO(exported(client, verb="delete"), newline="")))
    assert sorted(row["reason"] for row in rows) == [f"R{index:04}" for index in range(230)]
    own = AuditEntry.objects.get(verb="export")
    assert (own.target_kind, own.done, own.ending, own.query) == ("auditentry", 230, "done", "verb=delete")
    assert "exported the audit log" in client.get(reverse(LIST)).content.decode()


def test_json_lines_have_every_field_and_each_answer() -> None:
    entry = make_entry(
        via="api", answers=[["celery@a", "refused", "no", 0.5]], parameters={"n": 2}, targets=["a", "b"]
    )
    [row] = map(json.loads, exported(client_of("view_auditentry"), _format="jsonl", via="api").splitlines())
    assert set(row) == {field.name for field in AuditEntry._meta.concrete_fields}
    assert (row["id"], row["answers"], row["parameters"]) == (entry.pk, entry.answers, entry.parameters)


def test_no_cell_of_an_export_is_a_formula() -> None:
    make_entry(reason="=cmd|' /C calc'!A0", user_name="@SUM(1)", targets=["=1+1"])
    [row] = csv.DictReader(io.StringIO(exported(client_of("view_auditentry"), verb="delete")))
    assert (row["reason"], row["user_name"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)")
    assert row["targets"] == '["=1+1"]'


def test_an_export_needs_the_permission_and_a_format() -> None:
    assert client_of("view_task").get(reverse(EXPORT)).status_code == 403
    assert AuditEntry.objects.get().ending == "refused"
    User.objects.all().delete()
    assert client_of("view_auditentry").get(reverse(EXPORT), {"_format": "xls"}).status_code == 400


def test_a_limited_user_exports_only_their_own(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    make_entry(reason="OTHER")
    client = client_of("view_auditentry")
    make_entry(user_id=str(User.objects.get().pk), reason="OWN")
    text = exported(client)
    assert "OWN" in text
    assert "OTHER" not in text


def test_the_page_leads_to_an_export_of_what_it_shows() -> None:
    make_entry(via="api")
    html = client_of("view_auditentry").get(reverse(LIST), {"via": "api"}).content.decode()
    assert f'href="{reverse(EXPORT)}?via=api"' in html
    assert f'href="{reverse(EXPORT)}?via=api&amp;_format=jsonl"' in html


@pytest.mark.parametrize(
    ("verb", "kind", "numbers", "words"),
    [
        ("ping", "worker", {"done": 2, "target_count": 2}, "2 of 2 workers acknowledged"),
        ("pool_grow", "worker", {"done": 1, "target_count": 1}, "acknowledged"),
        ("rerun", "task", {"done": 1, "target_count": 1}, "sent again"),
        ("rerun", "task", {"done": 3, "left_out": 1, "target_count": 4}, "3 sent again, 1 left out"),
        ("failure_mute", "failure", {"done": 1, "target_count": 1}, "recorded"),
    ],
)
def test_a_row_says_what_became_of_the_targets(
    verb: str, kind: str, numbers: dict[str, int], words: str
) -> None:
    ending = "partly" if numbers.get("left_out") else "done"
    entry = AuditEntry(verb=verb, target_kind=kind, targets=["a"], ending=ending, **numbers)
    assert audit_row(entry).result == words
