"""What a verb would do to a selection: how many targets are eligible, how many are not, and why."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ..queries.selection import Selection, selected_count, stretch
from .actor import Actor
from .contract import Outcome, Verb
from .parameters import Parameters
from .perform import judge

#: Seconds that a dry run counts before it estimates the rest.
BUDGET = 1.5
#: Targets that are looked at with one query: each only by the columns that decide.
STRETCH = 500
#: Ids that are given as examples of each reason.
EXAMPLES = 5


@dataclass
class DryRun:
    """Of the `looked_at` targets, `eligible` would be done; `reasons` has the others by sentence.

    `complete`: they are all. Else `expected` is about how many targets there are, or None where nobody knows.
    """

    looked_at: int = 0
    eligible: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    complete: bool = True
    expected: int | None = None

    def as_json(self) -> dict[str, Any]:
        return self.__dict__

    @property
    def expected_eligible(self) -> int:
        """How many will be done, about: as many of the rest as of those that were looked at."""
        if self.complete or not self.expected or not self.looked_at:
            return self.eligible
        return max(self.eligible, round(self.expected * self.eligible / self.looked_at))


def dry_run(
    verb: Verb,
    selection: Selection,
    actor: Actor,
    parameters: Parameters | None = None,
    budget: float = BUDGET,
) -> DryRun:
    """Judge the targets of a selection, newest first, for at most about `budget` seconds (one stretch at least)."""
    found, place, until = DryRun(), "", time.monotonic() + budget
    while True:
        part = stretch(selection, actor.visibility, place, STRETCH, with_payload=actor.with_payload)
        for target, result in judge(verb, part.ids, actor, parameters or {}).items():
            found.looked_at += 1
            if result.outcome is Outcome.DONE:
                found.eligible += 1
                continue
            found.reasons[result.words] = found.reasons.get(result.words, 0) + 1
            examples = found.examples.setdefault(result.words, [])
            if len(examples) < EXAMPLES:
                examples.append(target)
        if part.place is None:
            found.expected = found.looked_at
            return found
        if time.monotonic() >= until:
            found.complete = False
            count = selected_count(selection, actor.visibility, with_payload=actor.with_payload)
            found.expected = None if count.at_least else max(count.number, found.looked_at)
            return found
        place = part.place
