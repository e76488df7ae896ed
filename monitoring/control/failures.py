"""Groups of failures as targets of verbs, and writing down what people decide about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from ..formatting import number
from ..models import FailureGroup, FailureTriage
from ..queries.failures import triage_of, visible_groups
from ..queries.visibility import Visibility
from .contract import Outcome, Result, Results


@dataclass(frozen=True)
class FailureTarget:
    """A group that exists and may be seen, and what was decided about it: a row not yet stored where nothing was."""

    group: FailureGroup
    triage: FailureTriage


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, FailureTarget]:
    """Cost: two queries by primary key, three for a reader of some queues."""
    found = visible_groups(visibility, ids)
    decided = triage_of(found)
    return {key: FailureTarget(group, decided[key]) for key, group in found.items()}


def decide(ids: Sequence[str], **columns: Any) -> Results:
    """Write the same into the triage of each group, and nothing else of it."""
    FailureTriage.objects.bulk_create(
        [FailureTriage(fingerprint=key, **columns) for key in sorted(ids)],
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=list(columns),
    )
    return {key: Result(key, Outcome.DONE) for key in ids}


def counted(count: int) -> str:
    return ngettext("%(count)s group of failures", "%(count)s groups of failures", count) % {
        "count": number(count)
    }


def named(target: FailureTarget) -> str:
    """``KeyError in shop.pay``"""
    parts = (target.group.exception_type, target.group.name)
    return " · ".join(part for part in parts if part) or target.group.pk
