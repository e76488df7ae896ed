"""The columns of the list: which, in what order, and which of them sort it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ...queries.sorting import COLUMNS, Sort
from ...queries.task_columns import TASK_COLUMNS, shown_columns
from .address import ListAddress

#: Columns that a row of the list has been read with; the others are for exports and the page of a task.
LISTED = (
    "state", "name", "task_id", "args", "exception_type", "worker", "queue", "first_seen", "sent_at", "received_at",
    "started_at", "finished_at", "updated_at", "eta", "runtime", "wait", "retries", "progress", "root_id", "parent_id",
    "result", "exception",
)  # fmt: skip
NUMBERS = frozenset(
    ("first_seen", "sent_at", "received_at", "started_at", "finished_at", "updated_at", "eta", "runtime", "wait",
     "retries", "progress")
)  # fmt: skip
_SORTS = {column.column: column.key for column in COLUMNS.values()}


@dataclass(frozen=True)
class Head:
    """A head of the table. `url` sorts by it, the other way where it does already; None: it cannot be sorted by."""

    name: str
    label: str
    is_number: bool
    url: str | None
    order: str


@dataclass(frozen=True)
class Choice:
    """A column in the menu."""

    name: str
    label: str
    shown: bool
    fixed: bool


def list_columns(names: Iterable[str], *, with_payload: bool) -> list[str]:
    """What the list shows of the columns that were chosen, in their order; as at first for no choice."""
    return [name for name in shown_columns(names, with_payload=with_payload) if name in LISTED]


def heads(address: ListAddress, columns: Iterable[str]) -> list[Head]:
    return [_head(address, name) for name in columns]


def column_choices(columns: list[str], *, with_payload: bool) -> list[Choice]:
    """Those shown in their order, then the others."""
    others = [
        name for name in LISTED if name not in columns and (with_payload or not TASK_COLUMNS[name].payload)
    ]
    return [
        Choice(name, column_label(name), name in columns, TASK_COLUMNS[name].fixed)
        for name in columns + others
    ]


def column_label(name: str) -> str:
    """The head of a column, in sentence case."""
    words = {"name": _("Task"), "task_id": _("ID"), "args": _("Arguments"), "exception_type": _("Exception"),
             "exception": _("Exception text")}.get(name) or TASK_COLUMNS[name].label  # fmt: skip
    return words[:1].upper() + words[1:]


def _head(address: ListAddress, name: str) -> Head:
    label, is_number = column_label(name), name in NUMBERS
    key = _SORTS.get(name)
    if key is None:
        return Head(name, label, is_number, None, "")
    if address.sort.column.key == key:
        order = "descending" if address.sort.descending else "ascending"
        return Head(name, label, is_number, address.sorted(address.sort.reversed).url(), order)
    first = Sort(COLUMNS[key], descending=is_number)
    return Head(name, label, is_number, address.sorted(first).url(), "")
