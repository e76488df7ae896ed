"""A question to something that may hang, asked in a thread, and never twice at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connections

Answer = TypeVar("Answer")


class Probe(Generic[Answer]):
    """Whoever asks while a question is under way waits for its answer, so that what hangs holds one thread, not many.

    A question that has had no answer for `give_up` seconds is left to its own end, and the next caller asks anew: a
    connection that was cut off without a word may wait for a quarter of an hour.
    """

    def __init__(self, ask: Callable[[], Answer], give_up: float) -> None:
        self._ask = ask
        self._give_up = give_up
        self._lock = threading.Lock()
        self._under_way: Future[Answer] | None = None
        self._began = 0.0

    def start(self) -> Future[Answer]:
        """The answer to be, or what `ask` raises."""
        with self._lock:
            under_way = self._under_way
            is_stale = time.monotonic() - self._began > self._give_up
            if under_way is None or under_way.done() or is_stale:
                self._began = time.monotonic()
                under_way = self._under_way = Future()
                threading.Thread(
                    target=self._run, args=(under_way,), daemon=True, name="monitoring-readiness"
                ).start()
            return under_way

    def _run(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:
            answer.set_exception(error)
        finally:
            connections.close_all()
