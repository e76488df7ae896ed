"""An answer of a worker as it may be stored: of bounded size, and without secrets. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..configuration.masking import is_listed, masked_settings
from ..ingest.redaction import Redactor
from ..ingest.text import storable, storable_json

#: Tasks, and entries of any other list, that are kept of one answer.
MAX_TASKS, MAX_ENTRIES = 500, 5_000
#: Characters of one text: in a task's arguments, in a setting, and in any other answer (a report is one text).
TASK_TEXT, SETTING_TEXT, OTHER_TEXT = 512, 4_096, 65_536
#: Settings that are kept; Celery has about 200.
MAX_SETTINGS = 1_000
#: Fields that are kept of a task; Celery has 12.
MAX_FIELDS = 50
#: Characters of one answer as JSON: a worker has to say strange things to get there.
MAX_JSON = 4_000_000
#: Characters of a refusal.
MAX_WORDS = 500

_TASK_KINDS = frozenset({"active", "reserved", "scheduled"})


class TooLarge(ValueError):
    """What is left of an answer after all limits is still too large."""


@dataclass(frozen=True)
class Taken:
    """`content` is JSON; `items` how many entries a list had before it was cut, None for anything else."""

    content: Any
    items: int | None


def take(kind: str, value: Any, redactor: Redactor) -> Taken:
    """The answer `value` to the question `kind`. Raises :class:`TooLarge`.

    What the redactor cannot read it replaces, so that nothing is stored that was not looked at. Texts are cut first:
    the redactor knows a cut text by its mark.
    """
    items = len(value) if isinstance(value, list) else None
    content: Any
    if kind in _TASK_KINDS and isinstance(value, list):
        content = [redactor.value(_task(item)) for item in value[:MAX_TASKS]]
    elif kind == "conf" and isinstance(value, dict):
        content = _settings(value, redactor)
    else:
        kept = value[:MAX_ENTRIES] if isinstance(value, list) else value
        content = redactor.value(storable_json(kept, OTHER_TEXT))
    if len(json.dumps(content)) > MAX_JSON:
        raise TooLarge(f"The answer to {kind} is larger than {MAX_JSON:,} characters")
    return Taken(content, items)


def words(text: str, redactor: Redactor) -> str:
    """A worker's own words, such as why it refuses."""
    return redactor.text(storable(text, MAX_WORDS))


def _task(item: Any) -> Any:
    """Each field is cut by itself: long arguments must not cost a task its name. Of a scheduled one `request` is it."""
    if not isinstance(item, dict):
        return _field(item)
    fields = _fields(item)
    if isinstance(item.get("request"), dict):
        fields["request"] = _fields(item["request"])
    return fields


def _fields(item: dict[Any, Any]) -> dict[str, Any]:
    return {storable(str(name), TASK_TEXT): _field(value) for name, value in list(item.items())[:MAX_FIELDS]}


def _field(value: Any) -> Any:
    return storable_json(value, TASK_TEXT)


def _settings(conf: dict[Any, Any], redactor: Redactor) -> dict[str, Any]:
    listed = [(storable(str(name), SETTING_TEXT), value) for name, value in conf.items()]
    kept = [(name, value) for name, value in listed if is_listed(name)][:MAX_SETTINGS]
    return masked_settings({name: storable_json(value, SETTING_TEXT) for name, value in kept}, redactor)
