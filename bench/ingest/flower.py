"""Flower from PyPI, in a virtual environment of its own, on the same loads: what it counts, what it loses."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import amqp

from bench import flower_environment, servers
from bench.ingest.load import Load
from bench.ingest.publisher import Published, Publishing
from bench.processes import Child, running

#: Seconds for Flower to start, and after a load for the last events to be counted.
START, SETTLE = 60, 6
#: Two rates of the search are as good as the same when they differ by this factor.
PRECISION = 1.1

_COUNT = re.compile(rb"^flower_events_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)


@dataclass
class Heard:
    """What Flower made of one load; `memory` in bytes, `cpu` in seconds since it started, `rate` as offered."""

    rate: float
    published: int
    counted: int
    memory: int
    cpu: float

    @property
    def lost(self) -> int:
        return self.published - self.counted


class Flower:
    """A running Flower."""

    def __init__(self, child: Child, broker_url: str, port: int) -> None:
        self._child = child
        self._broker_url = broker_url
        self._metrics = f"http://127.0.0.1:{port}/metrics"

    def hear(self, load: Load, *, paced: bool) -> Heard:
        """Offer a load at its own rate, or as fast as the broker takes it, and see what Flower has counted of it."""
        before = self.counted()
        base = time.time() + 0.5 if paced else time.time() - load.seconds
        publishing = Publishing(load, self._broker_url, base, paced=paced)
        try:
            published = publishing.wait()
            counted = self._counted_of(load, before)
        finally:
            publishing.stop()
        used = self._child.used()
        return Heard(_offered(load, published, paced=paced), load.events, counted, used.memory, used.cpu)

    def _counted_of(self, load: Load, before: int) -> int:
        """How much of a load is counted, once that is all of it or does not grow any more."""
        counted, deadline = self.counted() - before, time.monotonic() + SETTLE
        while counted < load.events and time.monotonic() < deadline:
            time.sleep(0.5)
            later = self.counted() - before
            if later != counted:
                deadline = time.monotonic() + SETTLE
            counted = later
        return counted

    def counted(self) -> int:
        """All events that Flower has counted since it started, from its own metrics."""
        self._child.check()
        with urllib.request.urlopen(self._metrics, timeout=60) as answer:
            return sum(int(float(number)) for number in _COUNT.findall(answer.read()))

    def wait_until_it_listens(self) -> None:
        """Wait for the page and for its queue on the exchange of events."""
        deadline = time.monotonic() + START
        while True:
            self._child.check()
            try:
                self.counted()
                if self._is_bound():
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"Flower does not listen after {START} s:\n{self._child.tail()}")
            time.sleep(0.3)

    def _is_bound(self) -> bool:
        """Whether anybody gets events. Its queue has a random name, so a message that is not returned has to tell."""
        returned: list[object] = []
        with servers.connect(self._broker_url) as connection, connection.channel() as channel:
            channel.events["basic_return"].add(lambda *answer: returned.append(answer))
            channel.exchange_declare("celeryev", "topic", durable=True, auto_delete=False)
            nothing = amqp.Message("[]", content_type="application/json", content_encoding="utf-8")
            channel.basic_publish(nothing, "celeryev", "bench.nothing", mandatory=True)
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.5)
        return not returned


def _offered(load: Load, published: Published, *, paced: bool) -> float:
    return load.rate if paced else load.events / published.seconds


@contextmanager
def flower(broker_url: str, logs: Path) -> Iterator[Flower]:
    """Flower with its default settings, listening to the events of one virtual host."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    command = [
        str(flower_environment.CELERY),
        f"--broker={broker_url}",
        "flower",
        "--address=127.0.0.1",
        f"--port={port}",
    ]
    with running(command, logs / "flower.log", cwd=logs) as child:
        started = Flower(child, broker_url, port)
        started.wait_until_it_listens()
        yield started


def highest_lossless(
    lowest: float, highest: float, trial: Callable[[float], Heard], tries: int
) -> tuple[float, list[Heard]]:
    """The highest rate of at most `tries` trials that lost nothing (0: none), and all trials.

    Doubles from `lowest` until something is lost, then halves the interval until it is within PRECISION.
    """
    trials: list[Heard] = []
    good, bad, rate = 0.0, 0.0, lowest
    while len(trials) < tries:
        heard = trial(rate)
        trials.append(heard)
        if heard.lost:
            bad = rate
        else:
            good = rate
        if not bad:
            if good >= highest:
                break
            rate = min(2 * good, highest)
        elif not good:
            rate = bad / 2
        elif bad / good <= PRECISION:
            break
        else:
            rate = (good * bad) ** 0.5
    return good, trials
