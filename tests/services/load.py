"""A publisher that goes on through every fault of the broker, and knows what the broker has taken."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import suppress
from typing import Any, Self

import amqp
from kombu.utils.url import parse_url

from tests.services.consuming import SECONDS, Database, eventually

#: What a broker that is away, or comes and goes, makes its clients raise.
FAULTS = (OSError, amqp.AMQPError)
#: Seconds to wait for any word of the broker.
SOON = 10
#: As workers send them, at most.
GROUP = 24
_TRACEBACK = 'Traceback (most recent call last):\n  File "shop.py", line 7, in pay\n' * 12 + "OSError: again"


def steps(task_id: str, number: int) -> list[dict[str, Any]]:
    """The four events of one task."""
    now = time.time()
    signature = {
        "name": f"shop.task{number % 7}",
        "args": f"({number}, {'x' * 60!r})",
        "kwargs": "{}",
        "retries": 0,
    }
    end = (
        {"type": "task-failed", "exception": "OSError('again')", "traceback": _TRACEBACK}
        if number % 10 == 0
        else {"type": "task-succeeded", "result": "'done'", "runtime": 0.25}
    )
    events = [
        {"type": "task-sent", "queue": "celery", "hostname": "gen1@client", **signature},
        {"type": "task-received", **signature},
        {"type": "task-started"},
        end,
    ]
    return [
        {
            "hostname": f"celery@{number % 3}",
            "uuid": task_id,
            "timestamp": now + step / 1000,
            "clock": number * 4 + step,
            "pid": 1,
            "utcoffset": 0,
            **event,
        }
        for step, event in enumerate(events)
    ]


class Load:
    """Publishes tasks' events; `published` is what the broker has confirmed. One thread at a time."""

    def __init__(self, broker_url: str, name: str = "task") -> None:
        self._url = broker_url
        self._name = name
        self._tasks = 0
        self._connection: amqp.Connection | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self.published: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._hang_up()

    def publish(self, tasks: int) -> None:
        """Publish so many tasks' events, mixed with each other; returns when the broker has all of them."""
        events = [event for _ in range(tasks) for event in self._next()]
        random.Random(self._tasks).shuffle(events)
        for start in range(0, len(events), GROUP):
            group = events[start : start + GROUP]
            self._send(group)
            self.published += [(event["uuid"], event["type"]) for event in group]

    def start(self, tasks_per_second: int = 200) -> None:
        """Publish in a thread until :meth:`stop`."""

        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=[max(1, tasks_per_second // 10)])
        self._thread.start()

    def stop(self) -> None:
        """End the thread; raises what ended it before."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise self._failure

    def until_more(self, events: int = 1) -> None:
        """Wait until the thread has published so many more; raises what ended it."""
        before = len(self.published)

        def has_more() -> bool:
            if self._failure is not None:
                raise self._failure
            return len(self.published) >= before + events

        eventually(has_more)

    def _run(self, tasks: int) -> None:
        try:
            while not self._stopping.wait(0.1):
                self.publish(tasks)
        except Exception as failure:
            self._failure = failure

    def is_in(self, database: Database) -> bool:
        """Whether everything that was published is there; cheap enough to ask often."""
        return bool(database.value("SELECT count(*) FROM monitoring_taskevent") >= len(self.published))

    def assert_stored(self, database: Database) -> None:
        """All of it is there, none of it twice, and nothing else."""
        stored = database.rows("SELECT task_id, type FROM monitoring_taskevent")
        mine, theirs = sorted(self.published), sorted(stored)
        assert theirs == mine, (len(theirs), len(mine), sorted(set(mine) ^ set(theirs))[:5])
        states = dict(database.rows("SELECT task_id, state FROM monitoring_task"))
        assert states == {
            task: "FAILURE" if kind == "task-failed" else "SUCCESS"
            for task, kind in mine
            if kind in ("task-failed", "task-succeeded")
        }

    def _next(self) -> list[dict[str, Any]]:
        self._tasks += 1
        return steps(f"{self._name}-{self._tasks}", self._tasks)

    def _send(self, group: list[dict[str, Any]]) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._try(group)
            except FAULTS as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("the broker takes nothing") from error
                self._hang_up()
                time.sleep(0.2)
            else:
                return

    def _try(self, group: list[dict[str, Any]]) -> None:
        if self._connection is None:
            url = parse_url(self._url)
            self._connection = amqp.Connection(
                f"{url['hostname']}:{url['port']}",
                url["userid"],
                url["password"],
                virtual_host=url["virtual_host"] or "/",
                connect_timeout=SOON,
                read_timeout=SOON,
                write_timeout=SOON,
            )
            self._connection.connect()
            self._channel = self._connection.channel()
            self._channel.exchange_declare("celeryev", "topic", durable=True, auto_delete=False)
        message = amqp.Message(
            json.dumps(group),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=1,
            application_headers={"hostname": "h"},
        )
        self._channel.basic_publish_confirm(message, "celeryev", "task.multi", confirm_timeout=SOON)

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(*FAULTS):
                self._connection.close()
            self._connection = None
