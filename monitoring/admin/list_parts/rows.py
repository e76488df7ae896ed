"""Rows of the task list as HTML, for the page and for the frames that keep it live.

Written here and not in a template: a template chooses one of some twenty columns for each cell, and of a hundred rows
that was half of what a page of the list computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ... import formatting
from ...models import Task
from ...templatetags.monitoring_format import UNKNOWN, ago, duration, number, percent
from ...templatetags.monitoring_parts import call_line, copy_button, state_badge, task_name, worker_name
from .columns import list_columns

#: An id that stands in an address as it is; any other is quoted, which costs as much as the rest of its row.
_PLAIN_ID = re.compile(r"[0-9A-Za-z-]+")
_ANY_ID = "any-task-id"


@dataclass(frozen=True)
class Place:
    """Where rows stand: the admin site, and the list that a task is opened from, as :func:`.list_query` writes it;
    None where there is none. What all rows have in common is asked for once."""

    site: str | None
    list_query: str | None = None

    def url(self, task_id: str) -> str:
        """The address of a task's page."""
        if not _PLAIN_ID.fullmatch(task_id):
            return self._reversed(task_id)
        before, after = self._around
        return f"{before}{task_id}{after}"

    def url_from_list(self, task_id: str) -> str:
        """The same, so that the page leads back to the list."""
        return self.url(task_id) + self._from_list

    @cached_property
    def select_label(self) -> str:
        return _("Select %(task_id)s")

    @cached_property
    def copy_button(self) -> tuple[str, str]:
        """What stands before and after the id in the button that copies it."""
        return _split(copy_button(_ANY_ID, what=_("task id")))

    @cached_property
    def _around(self) -> tuple[str, str]:
        return _split(self._reversed(_ANY_ID))

    @cached_property
    def _from_list(self) -> str:
        return "" if self.list_query is None else f"?{urlencode({'in': self.list_query})}"

    def _reversed(self, task_id: str) -> str:
        return reverse("admin:monitoring_task_change", args=[quote(task_id)], current_app=self.site)


def _around(text: str) -> tuple[str, str]:
    before, _id, after = text.rpartition(_ANY_ID)
    return before, after


def _split(text: str) -> tuple[str, str]:
    before, _id, after = text.rpartition(_ANY_ID)
    return before, after


def task_rows(
    tasks: Iterable[Task], columns: Iterable[str], place: Place, *, with_payload: bool
) -> SafeString:
    """A row of the table for each of `tasks`, as :func:`.queries.task_list.task_list` answers them. `columns` may hold
    anything that an address can. In the language and below the prefix that are active."""
    cells = [
        _CELLS.get(name) or partial(_time, name) for name in list_columns(columns, with_payload=with_payload)
    ]
    # mark_safe: each text of a task went through escape() or format_html().
    return mark_safe("\n".join(_row(task, cells, place) for task in tasks))  # noqa: S308


_Cell = Callable[[Task, Place], str]


def _row(task: Task, cells: Iterable[_Cell], place: Place) -> str:
    task_id = escape(task.task_id)
    label = place.select_label % {"task_id": escape(formatting.cut(task.task_id, 13))}
    return (
        f'<tr data-task="{task_id}" data-is="{escape(task.state)}">\n'
        '<td class="mon-cell-select"><input type="checkbox" form="mon-bulk" name="_selected_action"'
        f' value="{task_id}" aria-label="{label}"></td>\n'
        f"{''.join([cell(task, place) for cell in cells])}</tr>"
    )


def _state(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-state">{state_badge(task.state)}</td>'


def _name(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-name">{task_name(task.name, place.url_from_list(task.task_id))}</td>'


def _id(task: Task, place: Place) -> str:
    before, after = place.copy_button
    button = f"{before}{escape(task.task_id)}{after}"
    return f'<td class="mon-cell-id">{_code(task.task_id, formatting.cut(task.task_id, 9))}{button}</td>'


def _args(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-args mon-ends">{_code(call_line(task))}</td>'


def _exception_type(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-exception mon-ends">{_code(task.exception_type)}</td>'


def _worker(task: Task, place: Place) -> str:
    shown = escape(worker_name(task.worker) or UNKNOWN)
    return f'<td class="mon-cell-worker mon-ends mon-dim"{_title(task.worker)}>{shown}</td>'


def _queue(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-queue mon-ends mon-dim"{_title(task.queue)}>{escape(task.queue or UNKNOWN)}</td>'


def _first_seen(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-time mon-number mon-dim">{ago(task.first_seen)}</td>'


def _runtime(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-runtime mon-number">{duration(task.runtime)}</td>'


def _wait(task: Task, place: Place) -> str:
    return f'<td class="mon-cell-other mon-number">{duration(task.wait)}</td>'


def _retries(task: Task, place: Place) -> str:
    dim = "" if task.retries else " mon-dim"
    return f'<td class="mon-cell-retries mon-number{dim}">{number(task.retries)}</td>'


def _progress(task: Task, place: Place) -> str:
    shown = UNKNOWN if task.progress is None else f"{percent(task.progress)}&nbsp;%"
    return f'<td class="mon-cell-other mon-number">{shown}</td>'


def _relative(column: str, task: Task, place: Place) -> str:
    related = getattr(task, column)
    if not related:
        return f'<td class="mon-cell-other">{UNKNOWN}</td>'
    code = _code(related, formatting.cut(related, 9))
    return f'<td class="mon-cell-other"><a href="{escape(place.url(related))}">{code}</a></td>'


def _text(column: str, task: Task, place: Place) -> str:
    return f'<td class="mon-cell-other mon-ends mon-dim">{_code(getattr(task, f"{column}_start", None))}</td>'


def _time(column: str, task: Task, place: Place) -> str:
    return f'<td class="mon-cell-other mon-number mon-dim">{ago(getattr(task, column))}</td>'


def _code(text: str | None, shown: str | None = None) -> str:
    """A text with all of it in the title; `shown` where that is not all of it, and nothing where there is none."""
    if not text:
        return ""
    title = escape(text)
    return f'<code title="{title}">{title if shown is None else escape(shown)}</code>'


def _title(text: str | None) -> str:
    return f' title="{escape(text)}"' if text else ""


#: Every other column of the list is a time.
_CELLS: dict[str, _Cell] = {
    "state": _state,
    "name": _name,
    "task_id": _id,
    "args": _args,
    "exception_type": _exception_type,
    "worker": _worker,
    "queue": _queue,
    "first_seen": _first_seen,
    "runtime": _runtime,
    "wait": _wait,
    "retries": _retries,
    "progress": _progress,
    "root_id": partial(_relative, "root_id"),
    "parent_id": partial(_relative, "parent_id"),
    "result": partial(_text, "result"),
    "exception": partial(_text, "exception"),
}
