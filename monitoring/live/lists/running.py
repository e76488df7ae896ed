"""Tasks that run now."""

from __future__ import annotations

from monitoring.live.audience import Audience
from monitoring.live.lists.contract import Content, task_items
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.queries.running import Running, running

MOST = 25


class RunningList:
    """The longest running first. Read whole each time: what runs is few, and who ends makes room for another."""

    name = "running"
    template = "live_running_row.html"

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._keys: set[str] = set()
        #: Those that were shown and are no more: they have just ended, most likely.
        self.gone: set[str] = set()

    def read(self, moment: Moment, news: News) -> Content | None:
        self.gone = set()
        if not news.about_tasks:
            return None
        found = moment.once(self._audience.asked(), self.name, lambda: self._ask(moment))
        keys = {task.task_id for task in found.rows}
        self.gone, self._keys = self._keys - keys, keys
        return Content(task_items(found.rows), found.total, found.total - len(found.rows))

    def _ask(self, moment: Moment) -> Running:
        asked = self._audience.asked()
        found = running(asked, size=MOST)
        moment.usual_runs.tell(asked.visibility, found.rows, moment.at)
        return found
