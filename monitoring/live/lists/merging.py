"""A bounded list of tasks that is kept up to date by what has changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

from monitoring.live.audience import Audience
from monitoring.live.lists.contract import Content, task_items
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.models import Task


class MergedList(ABC):
    """The first `most` tasks by a descending key. The whole is read at first and after a resync.

    Later, where the feed lists what has changed, only that is looked up. Where it says "many", what is new most likely
    is read, and what is shown is looked up again. Rows that have left the filter go in either way.
    """

    name: str
    template: str
    most: int

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._shown: dict[str, Task] = {}

    @abstractmethod
    def _all(self) -> list[Task]:
        """The first `most`, from the database."""

    @abstractmethod
    def _some(self, moment: Moment, news: News) -> list[Task]:
        """Those that have entered the list, most likely, where the feed says "many"."""

    @abstractmethod
    def _among(self, task_ids: Collection[str]) -> list[Task]:
        """Those of these tasks that belong in the list, from the database."""

    @abstractmethod
    def _key(self, task: Any) -> Any:
        """What the list is sorted by, greatest first."""

    def _left_out(self, news: News, entered: int, cut: int) -> int | None:
        """How many that belong in the list are not in it, where `entered` are new in it and `cut` did not fit."""
        return cut

    def read(self, moment: Moment, news: News) -> Content | None:
        if not news.about_tasks:
            return None
        if news.everything:
            found = {task.task_id: task for task in moment.once(self._audience.asked(), self.name, self._all)}
        elif news.many:
            found = {task.task_id: task for task in self._some(moment, news)}
            if others := self._shown.keys() - found.keys():
                found |= {task.task_id: task for task in self._among(others)}
        else:
            changed = {task.task_id: task for task in self._among(news.tasks)}
            found = {key: task for key, task in self._shown.items() if key not in news.tasks} | changed
        rows = sorted(found.values(), key=self._key, reverse=True)
        shown = {task.task_id: task for task in rows[: self.most]}
        entered = len(shown.keys() - self._shown.keys())
        new = found.keys() - self._shown.keys()
        self._shown = shown
        left_out = self._left_out(news, entered, len(new) - entered)
        return Content(task_items(shown.values()), None, left_out, exact=left_out is not None)
