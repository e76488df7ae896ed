"""What all verbs on workers have in common."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from .. import phrases, workers
from ..contract import Verb

CONTROL = "monitoring.control_worker"

#: Phrases about workers.
Phrases = partial(phrases.Phrases, phrases.workers, lambda target: target.name)


def worker_verb(phrases: phrases.Phrases, **fields: Any) -> Verb:
    """A verb of :data:`CONTROL` on workers that are online, unless told otherwise."""
    defaults: dict[str, Any] = {
        "permission": CONTROL,
        "target_kind": "worker",
        "destroys": False,
        "find": workers.find,
        "why_not": workers.out_of_reach,
        "chunk": workers.CHUNK,
        "happens": _("will be told"),
    }
    return Verb(**{**defaults, **phrases.fields(), **fields})
