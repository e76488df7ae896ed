"""The head of the task list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from monitoring.live.lists.merging import MergedList
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.models import Task
from monitoring.queries.newest import newest_tasks, tasks_among
from monitoring.queries.task_list import PAGE_SIZE


class NewestList(MergedList):
    """The newest first seen first, as on the list's first page."""

    name = "tasks"
    template = "task_row.html"
    most = PAGE_SIZE

    def _all(self) -> list[Task]:
        return newest_tasks(self._audience.asked(), size=self.most)

    def _some(self, moment: Moment, news: News) -> list[Task]:
        asked = self._audience.asked()
        since = moment.horizon
        return moment.once(asked, "some", lambda: newest_tasks(asked, size=self.most, since=since))

    def _among(self, task_ids: Collection[str]) -> list[Task]:
        return tasks_among(self._audience.asked(), task_ids)

    def _key(self, task: Any) -> Any:
        return task.first_seen, task.task_id
