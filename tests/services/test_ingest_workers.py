"""A real worker at work, watched by a real consumer: one day, played once, looked at from every side.

The worker's clock is in Tokyo and the consumer's in UTC, and one task is careless with its secrets everywhere.
"""

import json
import secrets as random_secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kombu
import pytest

from tests.ingest.event_streams import SECOND
from tests.services.consuming import SECONDS, Process, Site, SQLite
from tests.services.watched_app import add, careless, reject, retry_twice, sleep

SECRET = "Xq7zw-K9-vF3p"
ENDED = {"SUCCESS", "FAILURE", "REVOKED", "REJECTED"}
HOUR = 3600


@dataclass
class Day:
    """What happened."""

    site: Site
    hostname: str
    began: float
    ended: float = 0.0
    tasks: dict[str, str] = field(default_factory=dict)
    passed: list[dict[str, Any]] = field(default_factory=list)
    said: str = ""

    def column(self, task: str, column: str) -> Any:
        return self.site.database.value(
            f"SELECT {column} FROM monitoring_task WHERE task_id = '{self.tasks[task]}'"
        )

    def events(self, task: str) -> list[tuple[str, dict[str, Any]]]:
        """The task's own events from its worker in order of time: kind and payload."""
        rows = self.site.database.rows(
            "SELECT type, payload FROM monitoring_taskevent"
            f" WHERE task_id = '{self.tasks[task]}' ORDER BY timestamp"
        )
        return [(kind.removeprefix("task-"), json.loads(payload)) for kind, payload in rows]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, rabbitmq_url: str) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    database = SQLite(shutil.copy(migrated_sqlite, folder / "db.sqlite3"))
    site = Site(folder, database, rabbitmq_url, f"celeryev.test-{random_secrets.token_hex(3)}")
    day = Day(site, "tokyo@worker", time.time())
    try:
        with site.tap() as passed:
            consumer = site.consumer()
            consumer.until_said("Consuming from")
            worker = site.worker("-n", day.hostname, "-c", "2", TZ="Asia/Tokyo")
            _work(day, consumer)
            worker.terminate()
            # Not that it is offline: upkeep may say so before, of one that was silent for a while.
            consumer.until(lambda: database.value("SELECT stopped_at FROM monitoring_worker"))
            assert consumer.terminate() == 0, consumer.log
            day.ended = time.time()
            day.passed = passed()
            day.said = consumer.log
        yield day
    finally:
        site.stop()


def _work(day: Day, consumer: Process) -> None:
    long = "x" * 990  # the worker cuts reprs at 1,024 characters, here within the secret
    calls = {
        "add": add.s(2, 3),
        "retry": retry_twice.s(),
        "reject": reject.s(),
        "sleep": sleep.s(0.5),
        "careless": careless.s(
            f"--token={SECRET}",
            f"Authorization: Bearer {SECRET}",
            f"redis://user:{SECRET}@cache:6379/0",
            ["api_key", SECRET],
            password=SECRET,
            card={"number": "4111 1111 1111 1111", "cvv": SECRET},
        ),
        "careless failing": careless.s(fail=True, password=SECRET),
        "careless cut": careless.s(pad=long, password=SECRET * 9),
    }
    with kombu.Connection(day.site.broker_url) as connection:
        for name, call in calls.items():
            day.tasks[name] = call.apply_async(connection=connection, retry=False).id
        states = day.site.database.states
        consumer.until(lambda: len(states()) == len(calls) and set(states().values()) <= ENDED)
        consumer.until(lambda: day.site.database.value("SELECT inspected_at FROM monitoring_worker"))
    _add_a_process_and_come_back(day, consumer)


def _add_a_process_and_come_back(day: Day, consumer: Process) -> None:
    """Let the worker say that it has just started, as one does that a container runs again with the same process id."""
    day.site.celery("control", *_patiently(day), "pool_grow", "1")
    consumer.until(lambda: len(_pool(day)["processes"]) == 3)
    pid, clock = day.site.database.rows("SELECT pid, clock FROM monitoring_worker")[0]
    online = {
        "type": "worker-online",
        "hostname": day.hostname,
        "timestamp": time.time(),
        "pid": pid,
        "clock": clock,
    }
    day.site.publish([online])
    consumer.until(lambda: day.site.database.value("SELECT concurrency FROM monitoring_worker") == 3)


def _pool(day: Day) -> dict[str, Any]:
    """What the worker says of its pool; it grows within five seconds."""
    said = day.site.celery("inspect", *_patiently(day), "stats", "--json")
    pool: dict[str, Any] = json.loads(said)[day.hostname]["pool"]
    return pool


def _patiently(day: Day) -> list[str]:
    """Of Celery's commands: to wait for this worker until it answers, not for a second."""
    return ["--timeout", str(SECONDS), "--destination", day.hostname]


def test_every_task_is_in_its_state(day):
    assert {name: day.column(name, "state") for name in day.tasks} == {
        "add": "SUCCESS",
        "retry": "SUCCESS",
        "reject": "FAILURE",
        "sleep": "SUCCESS",
        "careless": "SUCCESS",
        "careless failing": "FAILURE",
        "careless cut": "SUCCESS",
    }


def test_a_task_that_rejects_its_message_has_failed_with_that(day):
    assert (day.column("reject", "exception_type"), day.column("reject", "exception")) == (
        "Reject",
        "reject requeue=False: no",
    )


def test_every_event_that_passed_is_in_the_log_once(day):
    passed = {
        (e["uuid"], e["type"], round(e["timestamp"] * SECOND))
        for e in day.passed
        if e["type"].startswith("task-")
    }
    stored = day.site.database.rows(
        "SELECT task_id, type, CAST(strftime('%s', substr(timestamp, 1, 19)) AS INTEGER) * 1000000"
        " + CAST(substr(timestamp || '.000000', 21, 6) AS INTEGER) FROM monitoring_taskevent"
    )

    assert sorted(stored) == sorted(passed)


def test_times_are_right_to_the_second_although_the_worker_is_in_tokyo(day):
    """Celery's own receiver is nine hours off here."""
    offsets = {e["utcoffset"] for e in day.passed if e["hostname"] == day.hostname and "utcoffset" in e}
    assert offsets == {-9}

    for name in day.tasks:
        received, started, sent = (
            day.column(name, f"{key}_ts") / SECOND for key in ("received", "start", "sent")
        )
        assert day.began - 1 <= sent <= day.ended + 1
        assert day.began - 1 <= received <= day.ended + 1
        assert abs(received - sent) < HOUR
        assert day.began - 1 <= started <= day.ended + 1
    heartbeat = day.site.database.value("SELECT beat_ts FROM monitoring_worker") / SECOND
    assert day.began - 1 <= heartbeat <= day.ended + 1


def test_a_retrying_task_shows_each_attempt(day):
    kinds = [kind for kind, _ in day.events("retry")]
    retried = [payload for kind, payload in day.events("retry") if kind == "retried"]

    assert sorted(kinds) == sorted(["sent", "received", "started"] * 3 + ["retried"] * 2 + ["succeeded"])
    assert ["attempt 1" in payload["exception"] for payload in retried] == [True, False]
    assert all("Traceback" in payload["traceback"] for payload in retried)
    assert sorted(p["retries"] for kind, p in day.events("retry") if kind == "sent") == [0, 1, 2]
    assert (day.column("retry", "retries"), day.column("retry", "result")) == (2, "'at last'")
    assert day.column("retry", "exception") is None


def test_a_task_shows_what_was_asked_of_it_and_what_came_of_it(day):
    assert day.column("add", "name") == "tests.services.watched_app.add"
    assert day.column("add", "args") == "(2, 3)"
    assert day.column("add", "result") == "5"
    assert day.column("add", "queue") == "watched"
    assert day.column("add", "worker") == day.hostname
    assert day.column("sleep", "runtime") >= 0.5
    assert day.column("add", "wait") is not None
    assert day.column("careless", "progress") == 0.5


def test_a_failure_shows_its_exception_and_traceback(day):
    assert day.column("careless failing", "exception_type") == "LoginRefused"
    assert "raise LoginRefused" in day.column("careless failing", "traceback")


def test_a_worker_that_is_seen_is_asked_for_its_pool_its_processes_and_its_queues(day):
    pool, queues = day.site.database.rows("SELECT pool, queues FROM monitoring_worker")[0]

    assert pool == "prefork"
    assert json.loads(queues) == ["watched"]


def test_a_worker_that_starts_again_with_the_same_process_id_is_asked_again(day):
    assert day.site.database.value("SELECT concurrency FROM monitoring_worker") == 3


def test_a_worker_that_says_goodbye_is_offline(day):
    online, stopped = day.site.database.rows("SELECT online, stopped_at FROM monitoring_worker")[0]

    assert not online
    assert stopped


def test_no_secret_is_in_any_byte_of_the_database(day):
    """Args, kwargs, nested values, reprs that were cut, results, exceptions, tracebacks, fields of custom events."""
    assert SECRET in json.dumps(day.passed), "the worker said nothing that could have been hidden"

    files = {path.name: path.read_bytes() for path in day.site.folder.glob("db.sqlite3*")}
    assert files
    for name, content in files.items():
        assert SECRET[:8].encode() not in content, name
        assert b"4111 1111 1111 1111" not in content, name
    assert (
        day.site.database.value("SELECT count(*) FROM monitoring_taskevent WHERE payload LIKE '%[redacted]%'")
        >= 5
    )
    assert "[redacted]" in day.column("careless", "kwargs")
    assert "[redacted]" in day.column("careless", "result")
    assert "[redacted]" in day.column("careless failing", "exception")


def test_no_secret_is_in_the_log_of_the_consumer(day):
    assert "Consuming from" in day.said
    assert SECRET[:8] not in day.said
    assert "guest:guest" not in day.said


def test_the_consumer_had_nothing_to_complain_about(day):
    assert "Traceback" not in day.said
    assert not day.site.database.rows("SELECT reason FROM monitoring_deadletter")
    assert not day.site.database.rows("SELECT reason FROM monitoring_gap")
