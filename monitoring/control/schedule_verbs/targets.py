"""Schedules as targets of verbs, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import ngettext

from ...celery_app import watched_app
from ...formatting import number
from ...queries.schedules import may_see
from ...queries.visibility import Visibility
from ...schedules.entries import Entry, Unreadable, entries
from ..contract import Verb
from ..phrases import Phrases

PERMISSION = "monitoring.run_schedule"
KIND = "schedule"


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, Entry]:
    """Those that exist and may be seen. Cost: django-celery-beat's table, by the index on the name."""
    app = watched_app()
    try:
        found = entries(app, list(ids))
    except Unreadable:
        return {}
    return {entry.name: entry for entry in found if may_see(visibility, app, entry)}


def schedule_verb(**fields: Any) -> Verb:
    """A verb on schedules; the texts of its question are those of `Phrases`."""
    names = set(fields) & {"question", "consequence", "button", "safe_button", "facts"}
    phrases = Phrases(_schedules, _name_of, **{name: fields.pop(name) for name in names})
    defaults: dict[str, Any] = {
        "permission": PERMISSION,
        "target_kind": KIND,
        "destroys": False,
        "find": find,
    }
    return Verb(**defaults, **phrases.fields(), **fields)


def _schedules(count: int) -> str:
    return ngettext("%(count)s schedule", "%(count)s schedules", count) % {"count": number(count)}


def _name_of(entry: Entry) -> str:
    return entry.name
