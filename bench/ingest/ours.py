"""Our consumer as users run it: `manage.py run_event_consumer`, one process or several."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import servers
from bench.ingest import event_queue
from bench.ingest.contents import Contents, Counts, open_contents
from bench.ingest.load import Load
from bench.ingest.publisher import Publishing, published
from bench.ingest.watch import Commit, Silent, lag, rate, watch
from bench.processes import Child, running

#: Seconds without a new commit after which a run counts as stuck.
PATIENCE = 60
#: Seconds between two looks into the database: of a backlog being drained, and where the lag is measured.
SELDOM, OFTEN = 0.1, 0.02
#: Seconds that a consumer has to start before a paced load begins.
START = 60


@dataclass
class Run:
    """One measurement of our consumer.

    `rate` is in events per second, `lag` in seconds, `memory` in bytes (the largest process), `cpu` in seconds (of all
    consumers, and of the database's own processes that serve them) for `cpu_events` events.
    """

    offered: float | None
    published: int
    stored: Counts
    wrong: list[str]
    rate: float
    lag_p50: float
    lag_p99: float
    memory: int
    cpu: float
    database_cpu: float | None
    cpu_events: int
    consumers: int = 1
    notes: list[str] = field(default_factory=list)


@dataclass
class Setting:
    """Where a run takes place and how the consumer is started."""

    broker_url: str
    database_url: str
    logs: Path
    consumer_options: str = ""

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "run_event_consumer", *shlex.split(self.consumer_options)]


def drain(load: Load, setting: Setting, consumers: int = 1) -> Run:
    """Fill the queue with the load, then let `consumers` processes work it off."""
    event_queue.declare(setting.broker_url)
    contents = open_contents(setting.database_url)
    try:
        base = time.time() - load.seconds
        with published(load, setting.broker_url, base):
            event_queue.wait_for_length(setting.broker_url, load.messages)
        before = contents.counts()
        with ExitStack() as stack:
            children = _start(stack, setting, consumers)
            return _measure(load, None, base, SELDOM, contents, before, children)
    finally:
        contents.close()
        event_queue.delete(setting.broker_url)


def keep_up(
    load: Load, setting: Setting, consumers: int = 1, begun: Callable[[], None] = lambda: None
) -> Run:
    """Offer the load at its own rate to running consumers; `begun` is called when it begins."""
    event_queue.declare(setting.broker_url)
    contents = open_contents(setting.database_url)
    try:
        before = contents.counts()
        with ExitStack() as stack:
            children = _start(stack, setting, consumers)
            _wait_for_consumers(setting.broker_url, consumers, children)
            base = time.time() + 1
            publishing = Publishing(load, setting.broker_url, base, paced=True)
            stack.callback(publishing.stop)
            begun()
            run = _measure(load, load.rate, base, OFTEN, contents, before, children)
            late = publishing.wait().late
            if late > 1:
                run.notes.append(f"the publisher fell {late:.1f} s behind")
            return run
    finally:
        contents.close()
        event_queue.delete(setting.broker_url)


def _start(stack: ExitStack, setting: Setting, consumers: int) -> list[Child]:
    environment = servers.project_environment(setting.database_url, setting.broker_url)
    return [
        stack.enter_context(
            running(
                setting.command(), setting.logs / f"consumer-{number}.log", cwd=servers.ROOT, env=environment
            )
        )
        for number in range(1, consumers + 1)
    ]


def _wait_for_consumers(broker_url: str, consumers: int, children: list[Child]) -> None:
    deadline = time.monotonic() + START
    with servers.connect(broker_url) as connection, connection.channel() as channel:
        while channel.queue_declare(event_queue.NAME, passive=True).consumer_count < consumers:
            for child in children:
                child.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"no consumer within {START} s:\n{children[0].tail()}")
            time.sleep(0.1)


class _Used:
    """Processor time from the first commit seen to the last: without what a start costs."""

    def __init__(self, contents: Contents, children: list[Child]) -> None:
        self._contents = contents
        self._children = children
        self._begun: tuple[float, float | None] | None = None

    def begin(self) -> None:
        self._begun = self._look()

    def seconds(self) -> tuple[float, float | None]:
        """Of all consumers, and of the database's own processes that serve them (None: not known)."""
        consumers, database = self._look()
        begun, database_begun = self._begun or (0.0, 0.0)
        if database is None or database_begun is None:
            return consumers - begun, None
        return consumers - begun, database - database_begun

    def _look(self) -> tuple[float, float | None]:
        return sum(child.used().cpu for child in self._children), self._contents.writer_cpu()


def _measure(
    load: Load,
    offered: float | None,
    base: float,
    every: float,
    contents: Contents,
    before: Counts,
    children: list[Child],
) -> Run:
    def check() -> None:
        for child in children:
            child.check()

    used = _Used(contents, children)
    commits: list[Commit] = []
    notes: list[str] = []
    try:
        commits = watch(load, base, contents, check, used.begin, every=every, patience=PATIENCE)
    except Silent as silent:
        commits = silent.commits
        notes.append(str(silent))
    cpu, database_cpu = used.seconds()
    stored = _settled(contents, before, load)
    return Run(
        offered,
        load.events,
        stored,
        _wrong(load, stored),
        rate(commits) if commits else 0.0,
        lag(commits, 50) if commits else 0.0,
        lag(commits, 99) if commits else 0.0,
        max(child.used().memory for child in children),
        cpu,
        database_cpu,
        commits[-1].position - commits[0].position if commits else 0,
        len(children),
        notes,
    )


def _settled(contents: Contents, before: Counts, load: Load) -> Counts:
    """The rows that came, once they are all there or no more of them come."""
    stored = contents.counts() - before
    deadline = time.monotonic() + 5
    while stored.events < load.events and time.monotonic() < deadline:
        time.sleep(0.5)
        later = contents.counts() - before
        if later != stored:
            deadline = time.monotonic() + 5
        stored = later
    return stored


def _wrong(load: Load, stored: Counts) -> list[str]:
    """In what the database differs from what was published; nothing lost and nothing twice: an empty list."""
    expected = {
        "events": load.events,
        "tasks": load.tasks,
        "succeeded": load.tasks - load.failed,
        "failed": load.failed,
        "counted": load.events,
        "dead_letters": 0,
    }
    return [
        f"{name} {found:,} for {expected[name]:,}"
        for name, found in vars(stored).items()
        if found != expected[name]
    ]
