"""Progress that tasks report: few events, the last one always, and never a task that fails of it."""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

from monitoring import progress
from tests.services.consuming import ROOT, Site, SQLite, eventually


@pytest.fixture
def site(rabbitmq_url, tmp_path):
    database = SQLite(tmp_path / "db.sqlite3")
    site = Site(tmp_path, database, rabbitmq_url, f"test-{secrets.token_hex(4)}")
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=site.environment, check=True)
    yield site
    site.stop()


def send(site: Site, task: str, *args: object) -> str:
    options = ["call", f"tests.live.progress_app.{task}", "--args", json.dumps(args)]
    return site.celery(*options, app="tests.live.progress_app").strip()


def test_a_task_that_reports_all_the_time_sends_one_event_a_second_and_the_last_one(site):
    """And what it reported last is what the monitor has stored."""
    consumer = site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    site.worker("--pool", "solo", app="tests.live.progress_app", DJANGO_SETTINGS_MODULE="")
    begun = time.monotonic()
    task_id = send(site, "count", 3)
    eventually(lambda: site.database.states().get(task_id) == "SUCCESS", lambda: consumer.log)
    passed = time.monotonic() - begun

    def told() -> list[dict]:
        return [row[4] for row in site.database.log() if row[:2] == (task_id, "task-progress")]

    # Reports have a connection of their own: the last one may be behind the event of the task's end.
    eventually(lambda: any(fields["current"] == 3 for fields in told()), lambda: consumer.log)
    reports = sorted(told(), key=lambda fields: fields["current"])
    assert 2 <= len(reports) <= passed / progress.SECONDS_BETWEEN_REPORTS + 2
    assert reports[0]["current"] < 1
    assert [fields["message"] for fields in reports].count("done") == 1
    assert (reports[-1]["current"], reports[-1]["total"], reports[-1]["message"]) == (3, 3, "done")
    assert site.database.rows("SELECT progress, progress_message FROM monitoring_task") == [(1.0, "done")]
    # What the pages are told of it.
    eventually(
        lambda: any(
            task_id in tasks for (tasks,) in site.database.rows("SELECT tasks FROM monitoring_feedentry")
        ),
        lambda: consumer.log,
    )


def test_a_report_that_cannot_be_made_does_not_fail_the_task(site):
    with site.tap() as passed:
        site.worker("--pool", "solo", app="tests.live.progress_app", DJANGO_SETTINGS_MODULE="")
        task_id = send(site, "report_nonsense")
        seen: list[str] = []

        def ended() -> bool:
            seen.extend(event["type"] for event in passed() if event.get("uuid") == task_id)
            return "task-succeeded" in seen or "task-failed" in seen

        eventually(ended)
    assert "task-succeeded" in seen
    assert "task-progress" not in seen


@pytest.fixture
def black_hole():
    """A broker that takes connections and never answers; the connections that it was offered."""
    connections: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def accept() -> None:
            while True:
                try:
                    connections.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], connections
        server.shutdown(socket.SHUT_RDWR)
    for connection in connections:
        connection.close()


def test_a_broker_that_does_not_answer_is_tried_once(black_hole, monkeypatch):
    port, connections = black_hole
    app = Celery("progress", broker=f"amqp://guest:guest@127.0.0.1:{port}//", set_as_current=False)
    app.conf.broker_connection_timeout = 0.3
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_REPORTS", 0)
    monkeypatch.setattr(progress, "_left_alone_until", 0.0)

    @app.task
    def many_reports() -> str:
        for number in range(1_000):
            progress.report(number, 1_000)
        return "well"

    assert run(many_reports) == "well"
    eventually(lambda: connections)  # they are counted in a thread of their own
    # kombu tries every address of a name, and may try a connection twice; a thousand reports do not.
    assert len(connections) <= 3


def test_a_soft_time_limit_that_comes_in_a_report_reaches_the_task(monkeypatch):
    app = Celery("progress", broker="memory://", set_as_current=False)
    monkeypatch.setattr(progress, "_left_alone_until", 0.0)

    @app.task
    def too_long() -> str:
        try:
            progress.report(1, 2)
        except SoftTimeLimitExceeded:
            return "cleaned up"
        return "went on"

    def interrupted(*_arguments: object, **_fields: object) -> None:
        raise SoftTimeLimitExceeded(5)

    monkeypatch.setattr(too_long, "send_event", interrupted)
    assert run(too_long) == "cleaned up"
    assert progress._left_alone_until == 0.0, "the broker has done nothing wrong"


def run(task):
    """Run a task as a worker does, in this process: with a request, not eagerly."""
    from celery._state import _task_stack

    task.push_request(id="a-task", called_directly=False, is_eager=False, hostname="celery@test")
    _task_stack.push(task)
    try:
        return task.run()
    finally:
        _task_stack.pop()
        task.pop_request()


def test_outside_of_a_task_and_in_an_eager_one_nothing_happens(black_hole):
    port, connections = black_hole
    app = Celery("progress", broker=f"amqp://guest:guest@127.0.0.1:{port}//", set_as_current=False)

    @app.task
    def eager() -> str:
        progress.report(1, 2)
        return "well"

    progress.report(1, 2)
    assert eager.apply().get() == "well"
    assert connections == []


def test_workers_load_it_without_the_models_of_django():
    code = "import monitoring.progress, sys; assert 'django.db.models' not in sys.modules"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
