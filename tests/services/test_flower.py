"""Flower from PyPI and ours beside the same worker and the same tasks: what every route answers and does."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from celery import Celery

from bench import flower_environment
from monitoring.control.broadcast import ask
from monitoring.ingest.redaction import MARK
from tests.project.serving import daphne
from tests.services.consuming import ROOT, SECONDS, Process, Site, SQLite, eventually
from tests.services.found import HOST, free_port
from tests.services.required import require

TASKS = "tests.services.flower_app"
TOKEN = """
from django.contrib.auth.models import User
from monitoring.api import tokens
user = User.objects.create_superuser("script", password=None)
print("TOKEN", tokens.create(user, "comparison", tokens.known_scopes())[1])
"""
#: Of a task: what differs by design. `clock` is the greatest of all events here, that of the newest in Flower.
FREE = frozenset({"clock"})
TIMES = ("received", "sent", "started", "rejected", "succeeded", "failed", "retried", "revoked", "timestamp")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class Server:
    """One of the two, at its address."""

    address: str
    token: str = ""

    def get(self, path: str, **query: Any) -> Answer:
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: Any = None, **query: Any) -> Answer:
        return self._ask("POST", path, query, b"" if body is None else json.dumps(body).encode())

    def _ask(self, method: str, path: str, query: dict[str, Any], body: bytes | None) -> Answer:
        address = f"{self.address}/api/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return Answer(error.code, json.loads(text) if "json" in error.headers["Content-Type"] else text)


@dataclass
class Both:
    flower: Server
    ours: Server
    host: str
    app: Celery
    site: Site
    worker: Process

    def get(self, path: str, **query: Any) -> tuple[Any, Any]:
        """Both bodies, of a route that answers 200."""
        found = self.flower.get(path, **query), self.ours.get(path, **query)
        assert [answer.status for answer in found] == [200, 200], found
        return found[0].body, found[1].body

    def each(self) -> tuple[Server, Server]:
        return self.flower, self.ours

    def run(self, name: str, *args: Any, **options: Any) -> str:
        """Send a task; its id, once both have seen it."""
        with self.app.connection_for_write() as connection:
            task_id = str(self.app.send_task(f"{TASKS}.{name}", args, connection=connection, **options).id)
        self.until(lambda server: server.get(f"task/info/{task_id}").status == 200)
        return task_id

    def ended(self, name: str, *args: Any, state: str = "SUCCESS") -> str:
        task_id = self.run(name, *args)
        self.until(lambda server: self.state(server, task_id) == state)
        return task_id

    def state(self, server: Server, task_id: str) -> str | None:
        answer = server.get(f"task/info/{task_id}")
        return answer.body["state"] if answer.status == 200 else None

    def until(self, condition: Callable[[Server], object]) -> None:
        for server in self.each():
            eventually(lambda server=server: condition(server), lambda server=server: self.seen_by(server))

    def seen_by(self, server: Server) -> str:
        name = "Flower" if server is self.flower else "ours"
        tasks = server.get("tasks").body
        return f"{name} has {[(key, task['name'], task['state']) for key, task in tasks.items()]}"

    def said(self, command: str, **arguments: Any) -> Any:
        """What the worker itself says."""
        answers = ask([(command, arguments)], [self.host], app=self.app, timeout=20)
        return answers[command][self.host].value

    def processes(self) -> int:
        return len(self.said("stats")["pool"]["processes"])

    def queues(self) -> set[str]:
        return {queue["name"] for queue in self.said("active_queues")}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, redis_url: str) -> Iterator[Both]:
    try:
        flower_environment.install()
    except subprocess.CalledProcessError:
        require(False, "Flower on the package index")
    folder = tmp_path_factory.mktemp("flower")
    database = SQLite(shutil.copy(migrated_sqlite, folder / "db.sqlite3"))
    site = Site(folder, database, redis_url, f"celeryev.test-{secrets.token_hex(3)}")
    site.set(CELERY_APP=f"{TASKS}.app", CONTROL_TIMEOUT=8.0, API_RATE=None)
    host = f"w1@{secrets.token_hex(3)}"
    with ExitStack() as stack:
        stack.callback(site.stop)
        site.consumer("--batch-seconds", "0.1").until_said("Consuming from")
        port = free_port()
        flower = Process(
            [str(flower_environment.CELERY), "-A", TASKS, "flower", f"--address={HOST}", f"--port={port}"],
            {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "BROKER": redis_url,
                "FLOWER_UNAUTHENTICATED_API": "true",
                "PYTHONUNBUFFERED": "1",
            },
            folder / "flower.log",
        )
        stack.callback(flower.kill)
        flower.until_said("Connected to")
        worker = site.worker("-n", host, "-c", "2", "-Q", "compared", app=TASKS, DJANGO_SETTINGS_MODULE="")
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", TOKEN],
            cwd=ROOT, env=site.environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        web = stack.enter_context(daphne("project.asgi:application", folder, **site.environment))
        servers = Both(
            Server(f"http://{HOST}:{port}"),
            Server(f"http://{HOST}:{web.port}", made.partition("TOKEN ")[2].split()[0]),
            host,
            Celery("sender", broker=redis_url, set_as_current=False),
            site,
            worker,
        )
        servers.app.conf.update(task_send_sent_event=True, task_default_queue="compared")
        servers.until(lambda server: server.get("workers", refresh=1).body.get(host, {}).get("stats"))
        servers.until(lambda server: server.get("workers", status=1).body.get(host))
        yield servers


def test_every_get_route_answers_the_same_keys_types_and_values(both: Both) -> None:
    ids = [
        both.ended("add", 1, 2),
        both.ended("fail", "no such order", state="FAILURE"),
        both.ended("retry_once"),
        both.ended("parent"),
    ]

    def all_is_told(server: Server) -> bool:
        """Of the child, too, whose events come from three processes."""
        tasks = server.get("tasks").body.values()
        ends = [task["sent"] and task["started"] and (task["succeeded"] or task["failed"]) for task in tasks]
        return len(ends) == len(ids) + 1 and all(ends)

    both.until(all_is_told)
    both.until(lambda server: server.get(f"task/info/{ids[3]}").body["children"])

    theirs, ours = both.get("tasks")
    assert list(ours) == list(theirs), "the newest first"
    for task_id, task in theirs.items():
        same_task(ours[task_id], task)
    for query in (
        {"limit": 2, "offset": 1, "sort_by": "received"},
        {"sort_by": "-started"},
        {"state": "FAILURE"},
        {"taskname": f"{TASKS}.add"},
        {"workername": both.host, "limit": 1},
        {"workername": "nobody"},
        {"search": "name:flower_app.add OR state:FAILURE"},
        {"search": "args:order"},
        {"received_start": "2020-01-01 00:00", "received_end": "2020-01-02 00:00"},
        {"received_start": "2020-01-01 00:00"},
        {"limit": -1},
    ):
        theirs, ours = both.get("tasks", **query)
        assert list(ours) == list(theirs), query
    for task_id in ids:
        theirs, ours = both.get(f"task/info/{task_id}")
        same_task(ours, theirs)
        theirs, ours = both.get(f"task/result/{task_id}")
        same(ours, theirs)
        assert {name: ours[name] for name in theirs} == theirs
    theirs, ours = both.get("task/result/never-sent", timeout=0.1)
    assert ours == theirs
    theirs, ours = both.get("task/types")
    assert ours == theirs

    theirs, ours = both.get("workers", status=1)
    assert ours == theirs
    for query in ({"refresh": 1}, {"refresh": 1, "workername": both.host}, {"workername": both.host}, {}):
        theirs, ours = both.get("workers", **query)
        assert list(ours) == list(theirs) == [both.host]
        same(ours, theirs, free=("total", "clock", "uptime", "rusage"))
        for name in ("registered", "active_queues", "active", "reserved", "scheduled", "revoked"):
            assert ours[both.host][name] == theirs[both.host].get(name, ours[both.host][name]), name
    assert set(both.ours.get("workers/stats").body) == {both.host}


def test_lengths_of_queues_agree(both: Both) -> None:
    with both.worker.frozen():
        for _ in range(4):
            both.run("add", 1, 1)

        def agree() -> bool:
            """Ours are read every ten seconds."""
            theirs, ours = both.get("queues/length")
            same(ours, theirs)
            theirs, ours = (
                {queue["name"]: queue["messages"] for queue in body["active_queues"]}
                for body in (theirs, ours)
            )
            return theirs == ours and theirs["compared"] > 1

        eventually(agree, lambda: str(both.get("queues/length")))


def test_every_get_route_refuses_with_the_same_status(both: Both) -> None:
    for path, query in (
        ("tasks", {"limit": "x"}),
        ("tasks", {"sort_by": "worker"}),
        ("tasks", {"received_start": "yesterday"}),
        ("tasks", {"search": "(add"}),
        ("task/info/never-sent", {}),
        ("task/result/never-sent", {"timeout": "x"}),
        ("workers", {"workername": "nobody"}),
        ("workers", {"status": "perhaps"}),
    ):
        same_refusal(both.flower.get(path, **query), both.ours.get(path, **query))
    refused = both.ours.get("tasks", search="(add")
    assert set(both.flower.get("tasks", search="(add").body) <= set(refused.body)


def test_every_route_that_starts_or_stops_a_task_has_the_same_effect(both: Both) -> None:
    for server in both.each():
        answer = server.post(f"task/apply/{TASKS}.add", {"args": [2], "kwargs": {"y": 3}})
        assert (answer.status, set(answer.body)) == (200, {"task-id", "state", "result"})
        assert (answer.body["state"], answer.body["result"]) == ("SUCCESS", 5)
        answer = server.post(f"task/apply/{TASKS}.fail", {"args": ["word"]})
        assert (answer.body["state"], answer.body["result"]) == ("FAILURE", "ValueError('word')")
        assert "flower_app.py" in answer.body["traceback"]
        answer = server.post(f"task/apply/{TASKS}.sleep", {"args": [600], "timeout": 0.2})
        assert (answer.status, set(answer.body)) == (200, {"task-id", "state"})
        server.post(f"task/revoke/{answer.body['task-id']}", terminate="true", signal="SIGKILL")
        for route, body in (
            ("async-apply", {"args": [1, 1], "countdown": "0", "expires": "600"}),
            ("send-task", {"args": [1, 1], "queue": "compared"}),
            ("async-apply", {"args": [1, 1], "headers": {"tenant": {"id": 7}}, "compression": "gzip"}),
            ("send-task", {"args": [1, 1], "shadow": "other", "serializer": "json", "retry": True}),
        ):
            answer = server.post(f"task/{route}/{TASKS}.add", body)
            assert (answer.status, set(answer.body)) == (200, {"task-id", "state"})
            task_id = answer.body["task-id"]
            both.until(lambda one, task_id=task_id: both.state(one, task_id) == "SUCCESS")
        eta = {"args": [1, 1], "eta": "2096-01-01 00:00:00.0"}
        waits = server.post(f"task/async-apply/{TASKS}.add", eta).body["task-id"]
        both.until(lambda one, waits=waits: both.state(one, waits) == "RECEIVED")
        theirs, ours = both.get(f"task/info/{waits}")
        # Flower has the zone or not, by which of the two events came last: the sender's has none.
        assert theirs["eta"] in {"2096-01-01T00:00:00", "2096-01-01T00:00:00+00:00"}
        assert ours["eta"] == "2096-01-01T00:00:00+00:00"
        answer = server.post(f"task/revoke/{waits}")
        assert (answer.status, answer.body["message"]) == (200, f"Revoked '{waits}'")
        assert waits in both.said("revoked")

        runs = both.run("sleep", 60)
        both.until(lambda one, runs=runs: both.state(one, runs) == "STARTED")
        assert server.post(f"task/revoke/{runs}", terminate="true", signal="SIGKILL").status == 200
        both.until(lambda one, runs=runs: both.state(one, runs) == "REVOKED")
        theirs, ours = both.get(f"task/result/{runs}")
        assert ours == theirs
        same_task(*reversed(both.get(f"task/info/{runs}")))
        unknown = f"never-seen-{secrets.token_hex(3)}"
        assert server.post(f"task/revoke/{unknown}").body["message"] == f"Revoked '{unknown}'"
        assert unknown in both.said("revoked")

        looks = both.run("abortable")
        both.until(lambda one, looks=looks: both.state(one, looks) == "STARTED")
        answer = server.post(f"task/abort/{looks}")
        assert (answer.status, answer.body["message"]) == (200, f"Aborted '{looks}'")
        both.until(lambda one, looks=looks: both.state(one, looks) == "SUCCESS")
    for path, body in (
        (f"task/apply/{TASKS}.nope", {}),
        (f"task/async-apply/{TASKS}.nope", {}),
        (f"task/async-apply/{TASKS}.add", []),
        (f"task/async-apply/{TASKS}.add", {"args": 3}),
        (f"task/send-task/{TASKS}.add", {"args": {}}),
        (f"task/async-apply/{TASKS}.add", {"args": [1, 2], "countdown": "soon"}),
        (f"task/async-apply/{TASKS}.add", {"args": [1, 2], "eta": "soon"}),
        (f"task/apply/{TASKS}.add", {"args": [1, 2], "timeout": "soon"}),
    ):
        same_refusal(both.flower.post(path, body), both.ours.post(path, body))
    same_refusal(
        both.flower.post("task/revoke/x", terminate="perhaps"),
        both.ours.post("task/revoke/x", terminate="perhaps"),
    )


def test_every_route_on_a_worker_has_the_same_effect(both: Both) -> None:
    host = both.host
    for server in both.each():
        before = both.processes()
        assert server.post(f"worker/pool/grow/{host}", n=2).status == 200
        eventually(lambda before=before: both.processes() == before + 2)
        assert server.post(f"worker/pool/shrink/{host}").status == 200
        eventually(lambda before=before: both.processes() == before + 1)
        answer = server.post(f"worker/queue/add-consumer/{host}", queue="extra")
        assert (answer.status, answer.body["message"]) == (200, "add consumer extra")
        eventually(lambda: "extra" in both.queues())
        answer = server.post(f"worker/queue/cancel-consumer/{host}", queue="extra")
        assert (answer.status, answer.body["message"]) == (200, "no longer consuming from extra")
        eventually(lambda: "extra" not in both.queues())
        rate = "10/m" if server is both.flower else "20/m"
        answer = server.post(f"task/rate-limit/{TASKS}.fail", workername=host, ratelimit=rate)
        assert (answer.status, answer.body["message"]) == (200, "new rate limit set successfully")
        assert f"rate_limit={rate}" in str(both.said("registered", taskinfoitems=["rate_limit"]))
        hard = 3.5 if server is both.flower else 4.5
        answer = server.post(f"task/timeout/{TASKS}.fail", workername=host, soft=2.5, hard=hard)
        assert (answer.status, answer.body["message"]) == (200, "time limits set successfully")
        assert f"time_limit={hard}" in str(both.said("registered", taskinfoitems=["time_limit"]))
    for path, query in (
        (f"worker/pool/grow/{host}", {"n": 1}),
        (f"worker/pool/shrink/{host}", {"n": 1}),
        (f"worker/pool/restart/{host}", {}),
        (f"worker/pool/shrink/{host}", {"n": 50}),
        (f"worker/pool/autoscale/{host}", {"min": 1, "max": 2}),
    ):
        theirs, ours = (server.post(path, **query) for server in both.each())
        assert ours.status == theirs.status, (path, theirs, ours)
        if theirs.status == 200:
            assert ours.body["message"] == theirs.body["message"]
        else:
            assert ours.body["detail"].partition(":")[0] == theirs.body.partition(":")[0]
    for path, query in (
        (f"worker/pool/grow/{host}", {"n": "x"}),
        (f"worker/pool/autoscale/{host}", {"min": 1}),
        (f"worker/queue/add-consumer/{host}", {}),
        (f"worker/queue/cancel-consumer/{host}", {}),
        ("worker/pool/grow/nobody", {}),
        ("worker/shutdown/nobody", {}),
        ("worker/pool/restart/nobody", {}),
        (f"task/rate-limit/{TASKS}.add", {"workername": host}),
        (f"task/rate-limit/{TASKS}.add", {"ratelimit": "1/s"}),
        (f"task/rate-limit/{TASKS}.nope", {"workername": host, "ratelimit": "1/s"}),
        (f"task/rate-limit/{TASKS}.add", {"workername": "nobody", "ratelimit": "1/s"}),
        (f"task/timeout/{TASKS}.add", {"workername": host, "soft": "x"}),
        (f"task/timeout/{TASKS}.nope", {"workername": host, "soft": 1}),
    ):
        same_refusal(both.flower.post(path, **query), both.ours.post(path, **query))
    ours, theirs = (
        server.post(f"task/rate-limit/{TASKS}.add", workername=host, ratelimit="often")
        for server in both.each()
    )
    assert ours.status == theirs.status == 403


def test_worker_is_shut_down_by_either(both: Both) -> None:
    for server in both.each():
        host = f"last@{secrets.token_hex(3)}"
        worker = both.site.worker("-n", host, "-c", "1", "-Q", "last", app=TASKS, DJANGO_SETTINGS_MODULE="")
        both.until(lambda one, host=host: one.get("workers", refresh=1).body.get(host, {}).get("stats"))
        answer = server.post(f"worker/shutdown/{host}")
        assert (answer.status, answer.body["message"]) == (200, "Shutting down!")
        worker.wait()


def same(ours: Any, theirs: Any, place: str = "", free: tuple[str, ...] = ()) -> None:
    """Every key of theirs is in ours, with the same type, or redacted."""
    if ours == MARK:
        return
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), place
        for key, value in theirs.items():
            assert key in ours, f"{place}.{key} is missing"
            if key not in free:
                same(ours[key], value, f"{place}.{key}", free)
    elif isinstance(theirs, list):
        assert isinstance(ours, list), place
        for mine, value in zip(ours, theirs, strict=False):
            same(mine, value, f"{place}[]", free)
    else:
        numbers = (int, float)
        is_same = type(ours) is type(theirs) or (isinstance(ours, numbers) and isinstance(theirs, numbers))
        assert is_same, f"{place}: {ours!r} instead of {theirs!r}"


def same_task(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    same(ours, theirs)
    for name in TIMES:
        assert ours[name] == pytest.approx(theirs[name], abs=0.001), name
    assert ours["runtime"] == pytest.approx(theirs["runtime"], abs=1e-6)
    others = theirs.keys() - set(TIMES) - FREE - {"runtime"}
    assert {name: ours[name] for name in others} == {name: theirs[name] for name in others}


def same_refusal(theirs: Answer, ours: Answer) -> None:
    """The same status; where Flower says why, ours does, as JSON."""
    assert ours.status == theirs.status, (theirs, ours)
    assert 400 <= ours.status < 500
    assert isinstance(ours.body["detail"], str)
    assert ours.body["detail"]
