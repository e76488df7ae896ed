"""What the filter of the dashboard offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ... import formatting
from ...models import Worker
from ...queries.statistics_menu import TaskMenu
from .view import StatisticsView

#: Values that one menu offers; a task name leads to its statistics from every page.
MOST = 500


@dataclass(frozen=True)
class Menu:
    """A field of the address, its values with the words beside them, and the chosen one ("": all)."""

    field: str
    choices: list[tuple[str, str]]
    chosen: str


def menus(view: StatisticsView, found: TaskMenu, workers: Iterable[Worker]) -> list[Menu]:
    """Task names and queues that had tasks in the range, busiest first; host names, for those who may see them."""
    selection = view.selection
    hosts = [(worker.hostname, worker.hostname) for worker in workers][:MOST]
    offered = [
        Menu("name", _counted(found.names, selection.name), selection.name or ""),
        Menu("queue", _counted(found.queues, selection.queue), selection.queue or ""),
    ]
    if view.visibility.is_everything:
        offered.append(Menu("worker", _with(hosts, selection.worker), selection.worker or ""))
    return offered


def _counted(counts: Mapping[str, int], chosen: str | None) -> list[tuple[str, str]]:
    ranked = sorted(
        ((name, count) for name, count in counts.items() if name), key=lambda item: (-item[1], item[0])
    )
    return _with([(name, f"{name}  ({formatting.number(count)})") for name, count in ranked[:MOST]], chosen)


def _with(choices: list[tuple[str, str]], chosen: str | None) -> list[tuple[str, str]]:
    """The chosen value is always there."""
    if chosen is None or any(value == chosen for value, _words in choices):
        return choices
    return [(chosen, chosen), *choices]
