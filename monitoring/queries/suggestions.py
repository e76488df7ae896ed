"""What could be meant, while a reader types: values of a field that exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ..models import Task
from .choices import seen_values
from .reading import OutOfTime, Reading
from .search.fields import BY_NAME, STATES, Kind
from .search.grammar import storable
from .visibility import Visibility

#: Suggestions that are offered, and values that are looked through for them.
OFFERED = 10
_LOOKED_THROUGH = 2_000
#: Tasks that are counted for each value; more are "at least".
COUNTED = 1_000


@dataclass(frozen=True)
class Suggestion:
    """A value, and how many tasks have it: None where that was not counted in time, `at_least` from COUNTED on."""

    value: str
    number: int | None = None
    at_least: bool = False


def suggestions(visibility: Visibility, field: str, typed: str, reading: Reading) -> list[Suggestion]:
    """Values of a field of the search that contain what was typed, in any case, those that begin with it first.

    Empty for fields whose values are no names or ids (times, durations, texts) and for unknown ones.
    Cost: a step of an index for each value that the column has, at most 2,000, and COUNTED steps for each one offered.
    """
    found = BY_NAME.get(field)
    if found is None:
        return []
    typed = storable(typed.strip())
    if found.kind is Kind.STATE:
        return [Suggestion(state) for state in STATES if typed.upper() in state]
    if found.name == "exception":
        found = BY_NAME["exception_type"]
    if found.kind not in (Kind.NAME, Kind.ID) or (found.kind is Kind.ID and found.name != "id"):
        return []
    [column] = found.columns
    try:
        values = reading.ask(partial(_values, visibility, column, typed))
        return reading.ask(partial(_counted, visibility, column, values))
    except OutOfTime:
        return []


def _values(visibility: Visibility, column: str, typed: str) -> list[str]:
    if column == "task_id":
        if not typed:
            return []
        ids = visibility.limit(Task.objects.filter(pk__gte=typed, pk__lt=typed + chr(0x10FFFF)))
        return list(ids.order_by("pk").values_list("pk", flat=True)[:OFFERED])
    values = seen_values(visibility, column, limit=_LOOKED_THROUGH)
    wanted = typed.lower()
    matching = [value for value in values if wanted in value.lower()]
    # The last part of a dotted name is what people remember.
    matching.sort(
        key=lambda value: (
            not value.lower().startswith(wanted),
            not value.lower().rpartition(".")[2].startswith(wanted),
            value,
        )
    )
    return matching[:OFFERED]


def _counted(visibility: Visibility, column: str, values: list[str]) -> list[Suggestion]:
    if column == "task_id":
        return [Suggestion(value) for value in values]
    found = []
    for value in values:
        tasks = visibility.limit(Task.objects.filter(**{column: value})).order_by()
        number = tasks.values("pk")[:COUNTED].count()
        found.append(Suggestion(value, number, number >= COUNTED))
    return found
