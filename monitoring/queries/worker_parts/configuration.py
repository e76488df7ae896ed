"""The settings of a worker, as ``conf`` lists them, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...configuration.groups import GROUPS, OTHER, group_of
from ...configuration.masking import is_masked, masked_settings
from ...ingest.redaction_settings import configured_redactor
from . import typed

__all__ = ["GROUPS", "OTHER", "Setting", "settings_in_groups"]


@dataclass(frozen=True)
class Setting:
    """One setting. `value` is redacted JSON of any shape; `is_masked`: some of it is not shown, by Celery or by us."""

    name: str
    value: Any
    is_masked: bool


def settings_in_groups(conf: Any) -> dict[str, list[Setting]]:
    """Every group of :data:`GROUPS` that has any, in order, each by name; a project's own settings are OTHER."""
    grouped: dict[str, list[Setting]] = {}
    # Once more by the present rules: an answer may be older than they are.
    shown = masked_settings(typed.record(conf), configured_redactor())
    for name, value in sorted(shown.items()):
        grouped.setdefault(group_of(name), []).append(Setting(name, value, is_masked(value)))
    return {group: grouped[group] for group in GROUPS if group in grouped}
