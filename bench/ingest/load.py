"""Loads: the same tasks' events, contiguous or interleaved, in groups or single, as files of pre-encoded messages.

A message's body is a template: the publisher puts the events' times in at the moment it sends them, so that they are
those of now. Times run with an event's position in the load, at the rate that it is offered at; the order is that of a
real run at that rate.
"""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path
from random import Random
from typing import NamedTuple, Self
from zlib import crc32

from bench.ingest import words

SHAPES = ("contiguous", "interleaved")
#: Events in one message, as prefork workers buffer them (celery.events.dispatcher, `buffer_limit`).
GROUP = 24
#: Seconds that interleaved tasks last: the logarithm is evenly spread.
SHORTEST, LONGEST = 0.2, 30.0
#: How many events of a load are looked for in the database while it is being written.
PROBES = 1_000

_HEAD = struct.Struct("!HIH")  # events, bytes of the template, bytes of the routing key


class Emitted(NamedTuple):
    """One event in its load: `position` counts from 0; `text` is JSON with ``%`` where the time goes."""

    position: int
    host: str
    type: str
    task_id: str
    text: str


class Message(NamedTuple):
    """`template` ``%`` the events' times in seconds is the body; `positions` are their places in the load."""

    routing_key: str
    template: bytes
    positions: tuple[int, ...]


class Probe(NamedTuple):
    """An event to look for in the database."""

    position: int
    task_id: str
    type: str


@dataclass
class Load:
    """A file of messages and what a complete database holds after it; `rate` is in events per second."""

    path: Path
    shape: str
    group: int
    rate: float
    tasks: int
    events: int
    messages: int
    failed: int
    probes: list[Probe]

    @property
    def seconds(self) -> float:
        """From the first event's time to the last one's."""
        return self.events / self.rate

    @property
    def name(self) -> str:
        return f"{self.shape}, {f'groups of {self.group}' if self.group > 1 else 'single'}"

    def save(self) -> None:
        self.path.with_suffix(".json").write_text(json.dumps({**asdict(self), "path": str(self.path)}))

    @classmethod
    def open(cls, path: Path) -> Self:
        summary = json.loads(path.with_suffix(".json").read_text())
        probes = [Probe(*probe) for probe in summary.pop("probes")]
        return cls(**{**summary, "path": Path(summary["path"]), "probes": probes})


def make_load(path: Path, *, shape: str, group: int, events: int, rate: float, seed: str) -> Load:
    """Write the file of a load of about `events` events (four for each task), and its summary beside it."""
    random = Random(seed)
    tasks = max(1, events // 4)
    emitted = list(_events(random, tasks, shape, rate))
    step = max(1, len(emitted) // PROBES)
    probed = [*emitted[step - 1 : -1 : step], emitted[-1]]
    messages = 0
    with path.open("wb") as file:
        for message in _messages(emitted, group):
            key = message.routing_key.encode()
            file.write(_HEAD.pack(len(message.positions), len(message.template), len(key)))
            file.write(key)
            file.write(struct.pack(f"!{len(message.positions)}I", *message.positions))
            file.write(message.template)
            messages += 1
    load = Load(
        path,
        shape,
        group,
        rate,
        tasks,
        len(emitted),
        messages,
        sum(event.type == "task-failed" for event in emitted),
        [Probe(event.position, event.task_id, event.type) for event in probed],
    )
    load.save()
    return load


def read_messages(path: Path) -> Iterator[Message]:
    """The messages of a load's file, in the order to send them."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            count, size, key_size = _HEAD.unpack(head)
            key = file.read(key_size).decode()
            positions = struct.unpack(f"!{count}I", file.read(4 * count))
            yield Message(key, file.read(size), positions)


def _events(random: Random, tasks: int, shape: str, rate: float) -> Iterator[Emitted]:
    """Every event of `tasks` tasks in its order."""
    order: Iterable[tuple[int, int]]
    if shape == "contiguous":
        order = ((task, step) for task in range(tasks) for step in range(4))
    else:
        order = _interleaved(random, tasks, tasks_per_second=rate / 4)
    started: dict[int, _Task] = {}
    for position, (number, step) in enumerate(order):
        task = started.get(number)
        if task is None:
            task = started[number] = _Task(random)
        yield task.event(step, position)
        if step == 3:
            del started[number]


def _interleaved(random: Random, tasks: int, tasks_per_second: float) -> Iterator[tuple[int, int]]:
    """(task, step) in the order of time, where each task is sent, received, started after a wait, and ends."""
    steps: list[tuple[float, int, int]] = []
    now = 0.0
    for task in range(tasks):
        now += random.expovariate(tasks_per_second)
        received = now + random.uniform(0.001, 0.02)
        started = received + random.expovariate(4)
        ended = started + exp(random.uniform(log(SHORTEST), log(LONGEST)))
        steps += ((now, task, 0), (received, task, 1), (started, task, 2), (ended, task, 3))
    steps.sort()
    return ((task, step) for _, task, step in steps)


class _Task:
    """One task's four events: sent, received, started, and succeeded or failed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        self._worker = random.choice(words.WORKERS)
        name, self._queue = random.choice(words.TASKS)
        self._signature = (
            f'"name": "{name}", "args": {words.encoded(words.arguments(random))}, '
            f'"kwargs": {words.encoded(words.keywords(random))}, "root_id": "{self.id}", "parent_id": null, '
            f'"retries": 0, "eta": null, "expires": null'
        )
        self._fails = random.random() < words.FAILING

    def event(self, step: int, position: int) -> Emitted:
        host = self._worker
        if step == 0:
            kind, host = "task-sent", words.CLIENT
            fields = (
                f'{self._signature}, "queue": "{self._queue}", "exchange": "", "routing_key": "{self._queue}"'
            )
        elif step == 1:
            kind, fields = "task-received", self._signature
        elif step == 2:
            kind, fields = "task-started", ""
        elif self._fails:
            exception, traceback = words.failure(self._random)
            kind = "task-failed"
            fields = f'"exception": {words.encoded(exception)}, "traceback": {words.encoded(traceback)}'
        else:
            kind = "task-succeeded"
            result = words.encoded(words.result(self._random))
            fields = f'"result": {result}, "runtime": {self._random.uniform(0.01, 30):.15f}'
        text = (
            f'{{"hostname": "{host}", "utcoffset": 0, "pid": {4100 + crc32(host.encode()) % 90}, '
            f'"clock": {position + 7}, "uuid": "{self.id}", {fields + ", " if fields else ""}'
            f'"timestamp": %.6f, "type": "{kind}"}}'
        )
        return Emitted(position, host, kind, self.id, text)


def _messages(events: list[Emitted], group: int) -> Iterator[Message]:
    """Each host gathers its own events and sends them once it has `group` of them.

    A real client sends its `task-sent` events one by one. Here they are grouped as well: reading alone gains most by
    that, so that the comparison with it is the hardest.
    """
    if group == 1:
        for event in events:
            yield Message(event.type.replace("-", "."), event.text.encode(), (event.position,))
        return
    waiting: dict[str, list[Emitted]] = {}
    for event in events:
        buffer = waiting.setdefault(event.host, [])
        buffer.append(event)
        if len(buffer) == group:
            yield _group(buffer)
            buffer.clear()
    for buffer in waiting.values():
        if buffer:
            yield _group(buffer)


def _group(events: list[Emitted]) -> Message:
    template = f"[{', '.join([event.text for event in events])}]".encode()
    return Message("task.multi", template, tuple(event.position for event in events))
