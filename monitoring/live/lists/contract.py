"""What a list of a live page is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.models import Task


@dataclass(frozen=True)
class Item:
    """A row: `version` is all that its template shows, so that an equal one need not be rendered or sent again."""

    key: str
    version: Hashable
    context: dict[str, Any]


@dataclass(frozen=True)
class Content:
    """Rows in their order. `left_out`: how many more match (None: not known); exact or at least so many."""

    items: list[Item]
    total: int | None = None
    left_out: int | None = 0
    exact: bool = True

    @property
    def tail(self) -> dict[str, Any]:
        """The list's members of a frame beside order and rows."""
        return {"total": self.total, "left_out": self.left_out, "total_is_exact": self.exact}


class LiveList(Protocol):
    """A list of one audience. Knows what it showed last, so that little has to be read."""

    #: Its name in frames.
    name: str
    #: Of the row; below ``admin/monitoring/parts/``.
    template: str

    def read(self, moment: Moment, news: News) -> Content | None:
        """What to show now; None: the same as before. Runs in a thread and asks ``queries/``."""


def task_items(tasks: Iterable[Task]) -> list[Item]:
    """Rows of tasks; all columns that were read count as their version."""
    return [
        Item(
            task.task_id,
            tuple(
                repr(value) for name, value in sorted(vars(task).items()) if name not in ("_state", "total")
            ),
            {"task": task},
        )
        for task in tasks
    ]
