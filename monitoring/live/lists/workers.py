"""Workers, offline ones first."""

from __future__ import annotations

from collections.abc import Hashable

from monitoring.live.audience import Audience
from monitoring.live.lists.contract import Content, Item
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.models import Worker
from monitoring.queries.workers import MAX_WORKERS
from monitoring.worker_versions import celery_version, newest_version


class WorkerList:
    """The rows of the worker list. Read each time: upkeep turns workers offline without a word in the feed."""

    name = "workers"
    template = "worker_row.html"
    most = MAX_WORKERS

    def __init__(self, audience: Audience) -> None:
        self._audience = audience

    def read(self, moment: Moment, news: News) -> Content | None:
        known = moment.workers(self._audience.visibility)
        newest = newest_version(worker.software for worker in known)
        everyone = [worker for worker in known if self._audience.workers.matches(worker)]
        items = [self._item(worker, newest) for worker in everyone[: self.most]]
        return Content(items, len(everyone), len(everyone) - len(items))

    def _item(self, worker: Worker, newest: str) -> Item:
        older = celery_version(worker.software) not in ("", newest)
        return Item(worker.hostname, (self._version(worker), older), {"worker": worker, "older": older})

    def _version(self, worker: Worker) -> Hashable:
        return tuple(repr(value) for name, value in sorted(vars(worker).items()) if name != "_state")


class WorkerStrip(WorkerList):
    """The narrow strip of the live monitor: how busy each worker is."""

    template = "live_worker.html"
    most = 50

    def _version(self, worker: Worker) -> Hashable:
        """Not the last heartbeat, which the strip does not show."""
        return (
            worker.hostname,
            worker.online,
            worker.active,
            worker.concurrency,
            tuple(worker.load_average or ()),
        )
