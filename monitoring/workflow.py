"""What hangs on a task, as the plug-in for workers tells it: its group, and what follows when it has succeeded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Workflow:
    """`group`: the id of its group; `chord`: what is sent once all of that have succeeded. `chain`: one after the
    other, `callbacks`: each, when this one has. All but the group are names of tasks; empty where there is none, or
    nobody knows.
    """

    group: str = ""
    chord: str = ""
    chain: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> Workflow:
        """From the JSON of ``celery/messages.py``; what is none says nothing."""
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return cls()
        if not isinstance(found, dict):
            return cls()
        return cls(
            _text(found.get("group")),
            _text(found.get("chord")),
            _texts(found.get("chain")),
            _texts(found.get("callbacks")),
        )

    def only(self, may_be_named: Callable[[str], bool]) -> Workflow:
        """Without the names that somebody may not read. What comes behind one of a chain is not known then either."""
        chain = self.chain
        for place, name in enumerate(chain):
            if not may_be_named(name):
                chain = chain[:place]
                break
        return Workflow(
            self.group,
            self.chord if may_be_named(self.chord) else "",
            chain,
            tuple(name for name in self.callbacks if may_be_named(name)),
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
