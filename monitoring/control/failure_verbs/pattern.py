"""What all verbs on groups of failures have in common."""

from __future__ import annotations

from functools import partial
from typing import Any

from .. import failures, phrases
from ..contract import Verb

#: Who answers for what goes wrong may decide what is done about it, and who is told.
PERMISSION = "monitoring.manage_alerts"

#: Phrases about groups of failures.
Phrases = partial(phrases.Phrases, failures.counted, failures.named)


def failure_verb(phrases: phrases.Phrases, **fields: Any) -> Verb:
    """A verb of :data:`PERMISSION` that can always be used, unless told otherwise: once more is fine."""
    defaults: dict[str, Any] = {
        "permission": PERMISSION,
        "target_kind": "failure",
        "destroys": False,
        "find": failures.find,
        "why_not": lambda target: "",
        "local": True,
    }
    return Verb(**{**defaults, **phrases.fields(), **fields})
