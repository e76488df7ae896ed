"""Workers as targets of verbs: who is there, and what its pool can do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ..models import Worker
from ..queries import control
from ..queries.visibility import Visibility
from ..queries.worker_parts.pool import pool
from ..queries.worker_parts.registered import registered_tasks

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

#: Most workers that one command is addressed to.
CHUNK = 100

WhyNot = Callable[["WorkerTarget"], str]


@dataclass(frozen=True)
class WorkerTarget:
    """A worker and what it last answered to ``stats``, ``conf`` and ``registered``, if it did since it started.

    `works_for_others`: it also consumes queues that whoever asks may not see.
    """

    worker: Worker
    answers: Mapping[str, Any]
    works_for_others: bool = False

    @property
    def name(self) -> str:
        return str(self.worker.pk)

    @cached_property
    def scales(self) -> bool | None:
        """Whether it was started with ``--autoscale``; None: not known."""
        return pool(self.answers["stats"]).autoscale is not None if "stats" in self.answers else None

    @cached_property
    def restarts_pools(self) -> bool | None:
        """Its ``worker_pool_restarts``; None: not known."""
        conf = self.answers.get("conf")
        value = conf.get("worker_pool_restarts") if isinstance(conf, dict) else None
        return value if isinstance(value, bool) else None

    @cached_property
    def registered(self) -> list[str]:
        """The names of its tasks; none where they are not known."""
        everything = Visibility.everything()
        return [task.name for task in registered_tasks(everything, self.answers.get("registered"))]


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, WorkerTarget]:
    """Those of the workers that exist. Cost: two queries by primary key."""
    found = reachable(ids, visibility)
    answers = control.last_answers(
        {name: target.worker for name, target in found.items()}, ("stats", "conf", "registered")
    )
    return {name: replace(target, answers=answers.get(name, {})) for name, target in found.items()}


def reachable(ids: Sequence[str], visibility: Visibility) -> Mapping[str, WorkerTarget]:
    """As :func:`find`, without answers: enough for :func:`out_of_reach`. Cost: one query by primary key."""
    found = control.workers_by_name(visibility, ids)
    return {
        name: WorkerTarget(worker, {}, _works_for_others(worker, visibility))
        for name, worker in found.items()
    }


def _works_for_others(worker: Worker, visibility: Visibility) -> bool:
    """Patterns of names say nothing of a worker: there its permission alone decides."""
    queues = worker.queues
    if visibility.queues is None:
        return False
    return queues is None or not all(visibility.allows_queue(str(queue)) for queue in queues)


def always(target: WorkerTarget) -> str:
    """The `why_not` of a verb that may be tried on a worker that seems to be gone."""
    return ""


def out_of_reach(target: WorkerTarget) -> str:
    """Why nothing but asking can be done to a worker: it is not there, or not for this user to change."""
    if not target.worker.online:
        return _("%(worker)s is offline") % {"worker": target.name}
    if target.works_for_others:
        return _("%(worker)s also works for queues that you may not see") % {"worker": target.name}
    return ""


def scales_by_itself(target: WorkerTarget) -> str:
    if not target.scales:
        return ""
    return _("It was started with --autoscale: change between how many it scales instead")


def keeps_its_size(target: WorkerTarget) -> str:
    return (
        _("Only takes effect on a worker started with --autoscale; this one was not")
        if (target.scales is False)
        else ""
    )


def restarts_no_pools(target: WorkerTarget) -> str:
    return _("Needs worker_pool_restarts = True") if target.restarts_pools is False else ""


def unless_pool(pools: Collection[str], words: StrPromise, *others: WhyNot) -> WhyNot:
    """A `why_not` for what only some pools can do. A worker whose pool is not known is asked, and says it itself."""

    def why_not(target: WorkerTarget) -> str:
        found = out_of_reach(target)
        name = target.worker.pool
        if not found and name and name not in pools:
            found = _("The %(pool)s pool cannot do this: %(words)s") % {"pool": name, "words": words}
        return found or next((reason for other in others if (reason := other(target))), "")

    return why_not
