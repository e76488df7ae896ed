"""Which tasks a user may see. Every function of this package takes one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from ..conf import monitoring_settings
from ..models import Task
from .patterns import translate


@dataclass(frozen=True)
class Visibility:
    """Name patterns and queue patterns (``fnmatch``, case sensitive) of the tasks that may be seen.

    None: no limit of this kind. Where both are given a task must match one of each; a task whose name or queue is not
    known then matches none (a queue is known only where ``task-sent`` events are on). A limited user sees no figures of
    workers, no dead letters and no gaps, since these tell of everybody's tasks.
    """

    names: tuple[str, ...] | None = None
    queues: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for field in ("names", "queues"):
            patterns = getattr(self, field)
            if isinstance(patterns, str):
                raise TypeError(f"Visibility.{field} is a tuple of patterns, not one text: {patterns!r}")
            if patterns is not None:
                object.__setattr__(self, field, tuple(patterns))

    @classmethod
    def everything(cls) -> Visibility:
        return cls()

    @property
    def is_everything(self) -> bool:
        return self.names is None and self.queues is None

    def allows_name(self, name: str | None) -> bool:
        return _matches(self.names, name)

    def allows_queue(self, queue: str | None) -> bool:
        return _matches(self.queues, queue)

    def limit(self, tasks: QuerySet[Task]) -> QuerySet[Task]:
        """Only the tasks that may be seen. Costs nothing for everything; else a pattern per row that is read."""
        if self.names is not None:
            tasks = tasks.filter(_any("name", self.names))
        if self.queues is not None:
            tasks = tasks.filter(_any("queue", self.queues))
        return tasks


def visibility_of(user: Any) -> Visibility:
    """What ``MONITORING["VISIBILITY"]`` says of a user; everything where it is not set.

    Permissions are not its concern: who may open a page at all is Django's. Raises TypeError where the function answers
    with anything but a :class:`Visibility`, rather than showing everything.
    """
    path = monitoring_settings.VISIBILITY
    if path is None:
        return Visibility.everything()
    visibility = import_string(path)(user)
    if not isinstance(visibility, Visibility):
        raise TypeError(f"MONITORING['VISIBILITY'] ({path}) answered {visibility!r:.80}, not a Visibility")
    return visibility


def _any(column: str, patterns: Iterable[str]) -> Q:
    # An empty tuple of patterns matches nothing.
    found = Q(pk__in=[])
    for pattern in patterns:
        found |= Q(**{f"{column}__matches": pattern})
    return found


def _matches(patterns: tuple[str, ...] | None, text: str | None) -> bool:
    if patterns is None:
        return True
    return text is not None and any(translate(pattern).match(text) for pattern in patterns)
