"""Schedules are switched as beat notices it, and run as beat would send them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import celery
import pytest
from celery.beat import BeatLazyFunc
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from monitoring.control.actor import Actor
from monitoring.control.connecting import ConnectionLost, ControlUnavailable
from monitoring.control.contract import NotAllowed, Outcome
from monitoring.control.perform import Report, perform
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry
from monitoring.models.audit_entry import Ending
from monitoring.queries.visibility import Visibility
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SECRET = "hunter2-Xq7zw"


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> celery.Celery:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {
        "static": {
            "task": "shop.tick",
            "schedule": 60.0,
            "args": [BeatLazyFunc(lambda: 7)],
            "options": {"queue": "slow"},
        }
    }
    for module in ("targets", "run"):
        monkeypatch.setattr(f"monitoring.control.schedule_verbs.{module}.watched_app", lambda: app)
    return app


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been sent."""
    found: list[Any] = []

    def send(app: Any, name: str, args: Any, kwargs: Any, **options: Any) -> str:
        found.append((name, args, kwargs, options))
        return f"task-{len(found)}"

    monkeypatch.setattr("monitoring.control.schedule_verbs.run.send_task", send)
    return found


def row(name: str = "nightly", **fields: Any) -> PeriodicTask:
    every, _new = IntervalSchedule.objects.get_or_create(every=60, period="seconds")
    return PeriodicTask.objects.create(name=name, **{"task": "shop.export", "interval": every, **fields})


def use(verb: str, *names: str, permissions: tuple[str, ...] = ("run_schedule",), **more: Any) -> Report:
    return perform(verb, names, Actor(make_user("operator", *permissions)), patience=0, **more)


def test_a_schedule_is_switched_off_and_on_so_that_beat_notices() -> None:
    row()
    PeriodicTasks.objects.update(last_update=timezone.now() - timedelta(days=1))
    report = use("schedule_disable", "nightly", reason="too loud")
    assert report.results["nightly"].outcome is Outcome.DONE
    assert not PeriodicTask.objects.get().enabled
    changed = PeriodicTasks.last_change()
    assert changed is not None
    assert changed > timezone.now() - timedelta(minutes=1)
    assert report.entry is not None
    assert (report.entry.targets, report.entry.reason) == (["nightly"], "too loud")
    PeriodicTask.objects.update(enabled=False)
    report = perform("schedule_enable", ["nightly"], Actor(make_user("other", "run_schedule")))
    assert report.results["nightly"].outcome is Outcome.DONE
    assert PeriodicTask.objects.get().enabled


@pytest.mark.parametrize(
    ("verb", "fields", "words"),
    [
        ("schedule_enable", {}, "on already"),
        ("schedule_disable", {"enabled": False}, "off already"),
        ("schedule_enable", {"enabled": False, "one_off": True, "total_run_count": 1}, "the one time"),
    ],
)
def test_what_is_so_already_is_left_out(verb: str, fields: dict[str, Any], words: str) -> None:
    row(**fields)
    result = use(verb, "nightly").results["nightly"]
    assert result.outcome is Outcome.LEFT_OUT
    assert words in result.words


@pytest.mark.parametrize("verb", ["schedule_disable", "schedule_run"])
def test_one_that_is_deleted_meanwhile_is_left_out_and_the_others_are_told(
    verb: str, sent: list[Any]
) -> None:
    row("nightly")
    row("weekly")
    results = VERBS[verb].act(["nightly", "deleted", "weekly"], Visibility.everything(), {})
    outcomes = {name: result.outcome for name, result in results.items()}
    assert outcomes == {"nightly": Outcome.DONE, "deleted": Outcome.LEFT_OUT, "weekly": Outcome.DONE}


def test_what_stands_in_the_settings_cannot_be_switched_and_can_be_run(sent: list[Any]) -> None:
    assert "beat_schedule" in use("schedule_disable", "static").results["static"].words
    report = perform("schedule_run", ["static"], Actor(make_user("other", "run_schedule")), patience=0)
    assert report.results["static"].made == "task-1"
    assert sent == [("shop.tick", [7], {}, {"queue": "slow"})]


def test_a_row_is_sent_with_all_that_beat_would_send(sent: list[Any]) -> None:
    row(
        args='["a", 1]', kwargs='{"b": null}', queue="slow", priority=3, expire_seconds=90,
        headers='{"x": 1}', enabled=False,
    )  # fmt: skip
    result = use("schedule_run", "nightly").results["nightly"]
    assert (result.outcome, result.words) == (Outcome.DONE, "Sent as task-1; no worker has taken it yet") or (
        result.words == "Sent as task-1"
    )
    (message,) = sent
    assert message == (
        "shop.export", ["a", 1], {"b": None},
        {"queue": "slow", "priority": 3, "expires": 90, "headers": {"x": 1, "periodic_task_name": "nightly"}},
    )  # fmt: skip


def test_a_schedule_that_has_expired_is_sent_so_that_a_worker_takes_it(sent: list[Any]) -> None:
    row(expires=timezone.now() - timedelta(days=1), headers="null")
    assert use("schedule_run", "nightly").results["nightly"].outcome is Outcome.DONE
    assert sent[0][3] == {"headers": {"periodic_task_name": "nightly"}}


def test_arguments_that_cannot_be_read_fail_without_being_quoted(sent: list[Any]) -> None:
    row(args=f"[{SECRET}")
    result = use("schedule_run", "nightly").results["nightly"]
    assert (result.outcome, sent) == (Outcome.FAILED, [])
    assert SECRET not in json.dumps(AuditEntry.objects.get().results)


def test_what_no_message_can_hold_is_not_said_to_be_on_its_way(app: celery.Celery) -> None:
    app.conf.update(broker_url="memory://", task_default_queue="schedules", task_create_missing_queues=True)
    app.conf.beat_schedule["odd"] = {"task": "shop.tick", "schedule": 60.0, "args": [object()]}
    report = use("schedule_run", "odd", "static")
    assert (report.results["odd"].outcome, report.results["odd"].words) == (
        Outcome.FAILED,
        "Not sent: EncodeError",
    )
    assert report.results["static"].outcome is Outcome.DONE


def test_a_broker_that_is_away_stops_it_and_a_connection_that_breaks_leaves_it_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row()

    def fail(error: Exception) -> None:
        def send(*_args: Any, **_options: Any) -> str:
            raise error

        monkeypatch.setattr("monitoring.control.schedule_verbs.run.send_task", send)

    fail(ConnectionLost("broken"))
    assert use("schedule_run", "nightly").results["nightly"].outcome is Outcome.UNCONFIRMED
    fail(ControlUnavailable("away"))
    with pytest.raises(ControlUnavailable):
        perform("schedule_run", ["nightly"], Actor(make_user("other", "run_schedule")), patience=0)
    assert AuditEntry.objects.order_by("-pk")[0].ending == Ending.STOPPED


def test_tasks_that_may_not_be_started_by_hand_are_not_run(settings: Any, sent: list[Any]) -> None:
    settings.MONITORING = {**settings.MONITORING, "RUN_TASKS": ("shop.reports.*",)}
    row()
    assert use("schedule_run", "nightly").results["nightly"].outcome is Outcome.LEFT_OUT
    assert sent == []


def test_it_needs_its_own_permission(sent: list[Any]) -> None:
    row()
    with pytest.raises(NotAllowed):
        use("schedule_run", "nightly", permissions=("view_schedule", "run_task"))
    assert AuditEntry.objects.get().ending == Ending.REFUSED
    assert sent == []


def test_a_schedule_that_may_not_be_seen_is_not_there(
    monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    row()
    monkeypatch.setattr(Actor, "visibility", Visibility(names=("bank.*",)))
    assert use("schedule_run", "nightly", "nothing").results["nightly"].outcome is Outcome.LEFT_OUT
    assert sent == []
