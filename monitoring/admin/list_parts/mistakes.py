"""What is wrong with a filter, shown at its place."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from ...queries.search.mistakes import Mistake
from ...queries.task_list import Asked
from .form import asked_pairs

#: Characters that are shown on either side.
_AROUND = 60


@dataclass(frozen=True)
class Shown:
    """A sentence, and what was written: before, at and after the place. All three may be empty."""

    message: str
    parameter: str
    before: str
    at: str
    after: str


def shown_mistakes(asked: Asked, query: QueryDict) -> list[Shown]:
    written: dict[str, list[str]] = {}
    for name, text in asked_pairs(query):
        written.setdefault(name, []).append(text)
    return [_shown(mistake, written) for mistake in asked.mistakes]


def _shown(mistake: Mistake, written: dict[str, list[str]]) -> Shown:
    name = mistake.parameter
    values = written.get(name, [])
    # In which of several values of a field it is is not known: most have one.
    text = " ".join(values) if name == "q" else "".join(values[:1])
    start, end = mistake.position, mistake.position + max(1, mistake.length)
    before = text[:start]
    if len(before) > _AROUND:
        before = f"…{before[-_AROUND:]}"
    after = text[end : end + _AROUND] + ("…" if len(text) > end + _AROUND else "")
    return Shown(mistake.message, "" if name == "q" else name, before, text[start:end], after)
