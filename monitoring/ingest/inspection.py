"""What heartbeats do not say of a worker: its pool, its concurrency, its queues. Asked once for each start."""

from __future__ import annotations

import logging
import queue
import threading

import celery
from django.db import connections

from monitoring.ingest.events import Event
from monitoring.inspection.asking import ask_workers
from monitoring.inspection.storing import store

logger = logging.getLogger(__name__)

#: How many times a worker that does not answer is asked; one that is busy starting may need a second time.
TRIES = 3
#: Workers that are asked at once: each question reaches all of them, so it is better asked of many.
AT_ONCE = 50
#: What is asked here. The rest is left to upkeep.
KINDS = ("stats", "active_queues")
#: Workers that are remembered, and questions that wait: host names may be made up for each process, or by whoever can
#: send events.
MOST = 10_000


class WorkerInspector(threading.Thread):
    """Asks workers that are new or have restarted, in a thread and on a connection of its own.

    A worker that does not answer keeps what it last said (``inspected_at`` dates it).
    """

    def __init__(self, app: celery.Celery, using: str, timeout: float) -> None:
        super().__init__(name="monitoring-inspector", daemon=True)
        self._app = app
        self._using = using
        self._timeout = timeout
        self._asked: dict[str, int | None] = {}
        self._tries: queue.SimpleQueue[tuple[str, int] | None] = queue.SimpleQueue()

    def notice(self, events: list[Event]) -> None:
        """Look at the worker events of a committed batch for processes that have not been asked yet."""
        for event in events:
            pid = event.values.get("pid")
            if event.type == "worker-offline":
                self._asked.pop(event.subject, None)
            # In a container, a worker that has been started again has the process id that it had before.
            elif event.type == "worker-online" or self._asked.get(event.subject, -1) != pid:
                self._asked.pop(event.subject, None)
                if self._tries.qsize() >= MOST:
                    continue  # it is asked when it is heard of again
                self._asked[event.subject] = pid
                self._tries.put((event.subject, TRIES))
                if len(self._asked) > MOST:
                    # The one that was asked longest ago is forgotten, and asked once more if it is still there.
                    del self._asked[next(iter(self._asked))]

    def stop(self) -> None:
        self._tries.put(None)

    def run(self) -> None:
        try:
            while (request := self._tries.get()) is not None:
                tries = dict([request])
                while len(tries) < AT_ONCE and not self._tries.empty():
                    if (request := self._tries.get()) is None:
                        return
                    tries.setdefault(*request)
                for hostname in self._inspect(list(tries)):
                    if tries[hostname] > 1:
                        self._tries.put((hostname, tries[hostname] - 1))
        finally:
            connections.close_all()

    def _inspect(self, hostnames: list[str]) -> set[str]:
        """Ask, and store what was answered; whose answers are missing."""
        try:
            asked = ask_workers(hostnames, KINDS, timeout=self._timeout, app=self._app)
            store(asked, self._using)
        except Exception as error:  # whatever it is, the next workers are asked
            logger.warning("Workers %s could not be inspected: %s", ", ".join(hostnames), error)
            connections[self._using].close()
            return set(hostnames)
        return {one.hostname for one in asked if one.taken is None}
