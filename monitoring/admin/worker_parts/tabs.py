"""THE list of tabs of a worker's page: what each asks the worker, shows, and lets be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from ...control.verbs import VERBS
from .charts import charts
from .configuration import configuration
from .held import HeldList, reserved, revoked, running, scheduled
from .pool import pool_part
from .queues import queue_rows
from .registered import registered_rows
from .system import system_part
from .view import HELD, WorkerView

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


@dataclass(frozen=True)
class Tab:
    """`kinds` are the questions whose answers it shows, `verbs` what can be done from it, `counted` the answer whose
    items its label counts. Its template is ``parts/worker_<name>.html``, or that of `template`."""

    name: str
    label: StrPromise
    content: Callable[[WorkerView], dict[str, Any]]
    kinds: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    counted: str = ""
    template: str = ""

    @property
    def path(self) -> str:
        return f"admin/monitoring/parts/worker_{self.template or self.name}.html"


def _overview(view: WorkerView) -> dict[str, Any]:
    wanted, drawn = charts(view, ("busy", "load", "rate"))
    return {"range": wanted, "charts": drawn}


def _pool(view: WorkerView) -> dict[str, Any]:
    wanted, drawn = charts(view, ("busy", "load"))
    return {"range": wanted, "charts": drawn, "pool": pool_part(view)}


def _held(held: HeldList) -> dict[str, Any]:
    """With its own answer: a limited user may see some of the tasks that it tells of."""
    return {"held": held, "answers": [held.snapshot]}


TABS = (
    Tab("overview", _("Overview"), _overview, ("stats", "active_queues"), ("ping", "refresh", "shutdown")),
    Tab(
        "pool",
        _("Pool"),
        _pool,
        ("stats", "active"),
        ("pool_grow", "pool_shrink", "autoscale", "pool_restart"),
    ),
    Tab(
        "queues",
        _("Queues"),
        lambda view: {"queues": queue_rows(view)},
        ("active_queues",),
        ("add_consumer", "cancel_consumer"),
        counted="active_queues",
    ),
    Tab(
        "running",
        _("Running"),
        lambda view: _held(running(view)),
        ("active",),
        counted="active",
        template="held",
    ),
    Tab(
        "reserved",
        _("Reserved"),
        lambda view: _held(reserved(view)),
        ("reserved",),
        counted="reserved",
        template="held",
    ),
    Tab(
        "scheduled",
        _("Scheduled"),
        lambda view: _held(scheduled(view)),
        ("scheduled",),
        counted="scheduled",
        template="held",
    ),
    Tab(
        "revoked",
        _("Revoked"),
        lambda view: _held(revoked(view)),
        ("revoked",),
        counted="revoked",
        template="held",
    ),
    Tab(
        "registered",
        _("Registered"),
        lambda view: {"registered": registered_rows(view)},
        ("registered",),
        counted="registered",
    ),
    Tab(
        "limits",
        _("Limits"),
        lambda view: {"registered": [row for row in registered_rows(view) if row.is_limited]},
        ("registered", "stats"),
        ("rate_limit", "time_limit"),
    ),
    Tab(
        "configuration",
        _("Configuration"),
        lambda view: {"settings": configuration(view)},
        ("conf",),
    ),
    Tab(
        "system",
        _("System"),
        lambda view: {"system": system_part(view)},
        ("stats", "memsample", "report"),
        ("enable_events", "disable_events"),
    ),
)


def tab_of(name: str) -> Tab:
    """The one of this name; the first for any other."""
    return next((tab for tab in TABS if tab.name == name), TABS[0])


def verbs_of(tab: Tab) -> tuple[str, ...]:
    """Those of a tab; the first one also has the verbs on workers that no tab names."""
    named = {name for each in TABS for name in each.verbs}
    others = [name for name, verb in VERBS.items() if verb.target_kind == "worker" and name not in named]
    return (*tab.verbs, *others) if tab is TABS[0] else tab.verbs


def count_of(tab: Tab, view: WorkerView, shown: Tab) -> int | None:
    """How many things it has, as the tab shows them, for its label; None where that is not known or for this user.

    Tasks in its hands come and go: of an old answer they are counted on the tab alone that tells its age.
    """
    if not tab.counted or not view.visibility.is_everything:
        return None
    if tab.counted in HELD:
        if tab is not shown and not view.is_fresh(tab.counted):
            return None
        return view.held_now(tab.counted)
    return view.snapshot(tab.counted).items
