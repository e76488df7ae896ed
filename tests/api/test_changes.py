"""Changes of tasks as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.api.v1 import changes
from monitoring.models import FeedEntry
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

pytestmark = pytest.mark.django_db
URL = "/api/v1/task-changes/"
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the feed."""
    monkeypatch.setattr(changes, "_end", lambda seconds: 0.0)


def entry(*task_ids: str, **fields: Any) -> int:
    return FeedEntry.objects.create(at=timezone.now(), tasks=list(task_ids), **fields).pk


def events(response: Any) -> list[tuple[str, str, Any]]:
    """Name, id and data of each event."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/event-stream"
    found = []
    for block in b"".join(response.streaming_content).decode().strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found


def after(client: Client, cursor: int, query: str = "") -> list[tuple[str, str, Any]]:
    return events(client.get(URL + query, headers={"Last-Event-ID": str(cursor)}))


def test_a_task_that_changed_is_told_as_it_is_now(signed_in: SignIn) -> None:
    make_task("a", state="STARTED")
    make_task("b")
    before, change = entry(), entry("a")
    [(name, place, task)] = after(signed_in("view_task"), before)
    assert (name, place) == ("task", str(change))
    assert (task["task_id"], task["state"]) == ("a", "STARTED")
    assert "args" not in task


def test_only_what_matches_is_told_with_the_fields_that_were_chosen(signed_in: SignIn) -> None:
    make_task("a", state="FAILURE")
    make_task("b", state="SUCCESS")
    before = entry()
    entry("a", "b")
    told = after(signed_in("view_task"), before, "?state=FAILURE&fields=task_id")
    assert [task for _, _, task in told] == [{"task_id": "a"}]


def test_nobody_is_told_of_a_task_that_they_may_not_see(signed_in: SignIn, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    make_task("a", name="shop.a")
    make_task("b", name="bank.b")
    before = entry()
    entry("a", "b")
    assert [task["task_id"] for _, _, task in after(signed_in("view_task"), before)] == ["a"]


def test_without_an_id_it_begins_with_now(signed_in: SignIn) -> None:
    make_task("a")
    entry("a")
    assert events(signed_in("view_task").get(URL)) == []


def test_many_changes_and_what_was_missed_are_said(signed_in: SignIn) -> None:
    client, before = signed_in("view_task"), entry()
    many = entry(many=True, changes=5_000)
    assert after(client, before) == [("many", str(many), {"changes": 5_000})]
    started = entry(resync=True)
    assert after(client, many) == [("resync", str(started), {"changes": None})]
    FeedEntry.objects.filter(pk__lt=started).delete()
    assert after(client, before) == [("resync", str(started), {"changes": None})]


def test_streams_are_bounded_and_give_their_place_back(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "places", changes.Places(1))
    client = signed_in("view_task")
    for _ in range(3):
        assert events(client.get(URL)) == []
    dropped, left = client.get(URL), client.get(URL)
    next(iter(left.streaming_content))
    assert client.get(URL).status_code == 429
    assert events(dropped) == [], "it began too late, and ends at once"
    left._iterator.close()
    assert changes.places.taken == 0
    assert events(client.get(URL)) == []


def test_who_has_left_is_noticed_at_the_next_look(signed_in: SignIn) -> None:
    """A server notices by what it sends: a stream that is silent would keep its place."""
    parts = list(signed_in("view_task").get(URL).streaming_content)
    assert parts == [b"retry: 1000\n\n", b":\n\n"]


def test_mistakes_and_permissions_are_answered_before_it_begins(signed_in: SignIn) -> None:
    client = signed_in("view_task")
    assert client.get(URL + "?state=FAILED").status_code == 400
    assert client.get(URL, headers={"Last-Event-ID": "x"}).status_code == 400
    assert client.get(URL + "?fields=args").status_code == 403
    assert signed_in("view_worker", username="other").get(URL).status_code == 403
    assert Client().get(URL).status_code == 401


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))
