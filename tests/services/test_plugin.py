"""The plug-in in real workers: what it tells, and that a task never notices it."""

import datetime
import decimal
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from monitoring.arguments import read_typed
from tests.services.consuming import Process, Site, eventually

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("site", ["sqlite"], indirect=True)]

APP = "tests.services.watched_plugin"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NESTED = {
    "a": [1, [2, {"b": [3, [4, [5]]]}]],
    "naïve": "☃ \0 \ud83d",
    "yes": True,
    "none": None,
    "big": 2**70,
}
LARGE = "x" * 30_000
TYPED = [
    datetime.date(2026, 11, 23),
    datetime.datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=datetime.UTC),
    decimal.Decimal("1.50"),
    uuid.UUID(int=7),
    b"\xff\0",
]


@pytest.fixture
def runs(site: Site, tmp_path: Path) -> Path:
    path = tmp_path / "runs"
    path.touch()
    site.environment["RUNS"] = str(path)
    return path


def lines(runs: Path) -> list[dict[str, Any]]:
    # Not a line of which only the beginning is written yet.
    return [json.loads(line) for line in runs.read_text().rpartition("\n")[0].splitlines()]


def start(site: Site, *options: str, **environment: str) -> Process:
    return site.worker("-E", *options, app=APP, **environment)


def send(site: Site, task: str, *args: Any, **kwargs: Any) -> str:
    from tests.services.watched_plugin import app

    with app.connection_for_write(site.broker_url) as connection:
        headers = {
            "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"
        }  # as OpenTelemetry's own instrumentation does
        return str(app.send_task(f"{APP}.{task}", args, kwargs, connection=connection, headers=headers).id)


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent"])
def test_every_event_of_a_task_says_its_name_its_queue_and_its_attempt(site, runs, pool):
    worker = start(site, "-P", pool, "-c", "1")
    with site.tap() as passed:
        task_id = send(site, "retry_once", password="hunter2")
        events: list[dict[str, Any]] = []

        def has_told_all() -> bool:
            events.extend(event for event in passed() if event.get("uuid") == task_id)
            # Not that it has succeeded: its process tells of its progress over a connection of its own.
            return len(events) >= 8

        worker.until(has_told_all)

    told = {(e["type"], e["name"], e["queue"], e["retries"]) for e in events}
    name = f"{APP}.retry_once"
    assert told == {
        ("task-received", name, "watched", 0),
        ("task-started", name, "watched", 0),
        ("task-progress", name, "watched", 0),
        ("task-retried", name, "watched", 0),
        ("task-received", name, "watched", 1),
        ("task-started", name, "watched", 1),
        ("task-progress", name, "watched", 1),
        ("task-succeeded", name, "watched", 1),
    }
    assert {e.get("trace_id") for e in events if e["type"] == "task-received"} == {TRACE}
    assert "hunter2" not in json.dumps(events), "a secret has left the worker"
    assert lines(runs) == [{"id": task_id, "given": "hunter2"}]
    assert worker.terminate() == 0


def test_arguments_arrive_exactly_as_the_task_was_given_them(site, runs):
    site.drain()  # which makes the queue that events wait in
    given = {
        send(site, "take", *args, **kwargs): (list(args), kwargs)
        for args, kwargs in [
            ((), {}),
            ((1, "two", 3.5), {"n": NESTED}),
            ((LARGE,), {"é": "ü"}),
            (tuple(TYPED), {"when": TYPED[1]}),
        ]
    }
    worker = start(site, "-c", "2")
    eventually(lambda: len(lines(runs)) == len(given))
    assert worker.terminate() == 0
    site.drain()

    stored = site.database.rows("SELECT task_id, arguments_are, arguments, queue FROM monitoring_task")
    assert {task_id: (standing, queue) for task_id, standing, _, queue in stored} == dict.fromkeys(
        given, ("exact", "watched")
    )
    said = {line["id"]: line["given"] for line in lines(runs)}
    for task_id, _, text, _ in stored:
        args, kwargs = read_typed(text)
        assert repr((tuple(args), kwargs)) == said[task_id]
    log = json.dumps(site.database.log())
    assert LARGE[:2_000] not in log


def test_what_is_secret_or_too_large_is_said_to_be_so_and_what_follows_is_named(site, runs):
    from tests.services.watched_plugin import app, take

    site.drain()
    worker = start(site, "-c", "1")
    secret = send(site, "take", "x", api_key="hunter2")
    large = send(site, "take", "y" * 70_000)
    with app.connection_for_write(site.broker_url) as connection:
        follower = take.si(1).set(queue="elsewhere")
        chained = (
            (take.si(1) | take.si(2).set(queue="elsewhere")).apply_async(connection=connection).parent.id
        )
        linked = take.apply_async((1,), link=follower, link_error=follower, connection=connection).id
    eventually(lambda: len(lines(runs)) == 4)
    assert worker.terminate() == 0
    site.drain()

    rows = {
        row[0]: row[1:]
        for row in site.database.rows(
            "SELECT task_id, arguments_are, arguments, workflow FROM monitoring_task"
        )
    }
    assert rows[secret] == ("redacted", '[["x"],{"api_key":"[redacted]"}]', None)
    assert rows[large] == ("too large", None, None)
    name = f"{APP}.take"
    assert json.loads(rows[chained][2]) == {"chain": [name]}
    assert json.loads(rows[linked][2]) == {"callbacks": [name], "errbacks": [name]}


HOOKS = [
    "monitoring.celery.plugin.queue_of",
    "monitoring.celery.plugin.arguments_of",
    "monitoring.celery.plugin.workflow_of",
    "monitoring.celery.plugin.configured_redactor",
    "monitoring.celery.plugin._facts_of_current_task",
    "monitoring.celery.plugin._without_secrets",
    "monitoring.celery.plugin._options_of",
    "monitoring.celery.plugin._request_class",
    "monitoring.celery.plugin._MonitoredDispatcher._completed",
]


def test_a_plug_in_that_fails_everywhere_leaves_tasks_alone(site, runs):
    """Each hook by itself is in tests/celery/test_plugin.py."""
    site.drain()
    worker = start(site, "-c", "1", FAULT=",".join(HOOKS))
    ids = {send(site, "take", 1), send(site, "retry_once", password="p")}
    worker.until(lambda: {line["id"] for line in lines(runs)} == ids)
    worker.until(lambda: "The monitoring plug-in could not" in worker.log)
    assert worker.log.count("could not watch the requests") == 1
    assert "hunter2" not in worker.log
    assert worker.terminate() == 0
    site.drain()
    assert set(site.database.states().values()) == {"SUCCESS"}
