"""The settings that a worker runs with, beside Celery's own defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from ... import formatting
from ...configuration.defaults import default_of, is_default
from ...configuration.durations import duration_of
from ...configuration.masking import is_hidden
from ...queries.worker_parts.configuration import Setting, settings_in_groups
from .view import WorkerView

#: Characters of one value that are shown, and of those how many at once; the rest opens.
MOST, SHORT = 2_000, 100
GROUPS = {
    "broker": _("Broker"),
    "results": _("Results"),
    "limits": _("Limits and acknowledgement"),
    "serialisation": _("Serialisation"),
    "routing": _("Routing"),
    "events": _("Events"),
    "beat": _("Beat"),
    "tasks": _("Tasks"),
    "worker": _("Worker"),
    "other": _("Other"),
}


@dataclass(frozen=True)
class SettingRow:
    """`default` is that of the Celery that is installed here; None: it has no such setting.

    `short` is how a long `value` begins, empty where it is not long; `duration` that of seconds, in words.
    """

    name: str
    value: str
    short: str
    duration: str
    default: str | None
    is_changed: bool


@dataclass(frozen=True)
class SettingGroup:
    """Those that differ from the default, those that do not, and those of which nothing is shown."""

    label: str
    changed: list[SettingRow]
    others: list[SettingRow]
    masked: list[SettingRow]


def configuration(view: WorkerView) -> list[SettingGroup]:
    """From the answer to ``conf``, group by group, by name."""
    groups = []
    for name, settings in settings_in_groups(view.snapshot("conf").content).items():
        group = SettingGroup(str(GROUPS.get(name, name)), [], [], [])
        for setting in settings:
            row = _row(setting)
            rows = group.changed if row.is_changed else group.others
            (group.masked if is_hidden(setting.value) else rows).append(row)
        groups.append(group)
    return groups


def _row(setting: Setting) -> SettingRow:
    known, default = default_of(setting.name)
    value = written(setting.value)
    is_changed = not is_default(setting.name, setting.value)
    duration = duration_words(setting.name, setting.value)
    default_text = written(default) if known else None
    return SettingRow(setting.name, value, short(value), duration, default_text, is_changed)


def duration_words(name: str, value: Any) -> str:
    """The value of a setting that is seconds, as ``1 h``; empty for any other."""
    seconds = duration_of(name, value)
    return "" if seconds is None else formatting.exact_duration(seconds)


def written(value: Any) -> str:
    """A value as Python or JSON has it, cut where it is very long."""
    value = sorted(value) if isinstance(value, set | frozenset) else value
    text = formatting.pretty_json(value) if isinstance(value, dict | list | tuple) else repr(value)
    return formatting.cut(text, MOST)


def short(text: str) -> str:
    """How a value that is long, or has several lines, is shown until it is opened; empty for any other."""
    one_line = " ".join(text.split())
    return "" if len(one_line) <= SHORT and "\n" not in text else formatting.cut(one_line, SHORT)
