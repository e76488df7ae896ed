"""The lists of live pages, one file each, and which page has which."""

from __future__ import annotations

from monitoring.live.audience import Audience
from monitoring.live.lists.contract import LiveList
from monitoring.live.lists.finished import FinishedList
from monitoring.live.lists.newest import NewestList
from monitoring.live.lists.running import RunningList
from monitoring.live.lists.workers import WorkerList, WorkerStrip


def lists_of(audience: Audience) -> list[LiveList]:
    """New lists for an audience, in the order in which they are read and sent."""
    may_view_workers = "view_worker" in audience.look.permissions
    if audience.page == "monitor":
        running = RunningList(audience)
        strip: list[LiveList] = [WorkerStrip(audience)] if may_view_workers else []
        return [*strip, running, FinishedList(audience, running)]
    if audience.page == "tasks":
        return [NewestList(audience)]
    if audience.page == "workers" and may_view_workers:
        return [WorkerList(audience)]
    return []
