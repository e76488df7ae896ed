"""Tasks that have just finished."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from monitoring.live.audience import Audience
from monitoring.live.lists.merging import MergedList
from monitoring.live.lists.running import RunningList
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.models import Task
from monitoring.queries.running import finished_among, just_finished
from monitoring.queries.search.question import Question


class FinishedList(MergedList):
    """The newest end first. `left_out` counts those that have ended since the last frame and are not in the list."""

    name = "finished"
    template = "live_finished_row.html"
    most = 25

    def __init__(self, audience: Audience, running: RunningList) -> None:
        super().__init__(audience)
        self._running = running

    def _all(self) -> list[Task]:
        return just_finished(self._audience.asked(), size=self.most)

    def _some(self, moment: Moment, news: News) -> list[Task]:
        # Those that ran here and do so no more, since the feed names only some of many.
        return finished_among(self._audience.asked(), news.tasks | self._running.gone)

    def _among(self, task_ids: Collection[str]) -> list[Task]:
        return finished_among(self._audience.asked(), task_ids)

    def _key(self, task: Any) -> Any:
        return task.ended_at, task.task_id

    def _left_out(self, news: News, entered: int, cut: int) -> int | None:
        if news.everything:
            return 0
        if not news.many:
            return cut
        audience = self._audience
        if audience.question != Question() or not audience.visibility.is_everything:
            return None  # how many of all that ended would match is not known
        return max(0, news.ended - entered)
