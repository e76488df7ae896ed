"""Which argument values stand out among some calls against others: what failing runs have that succeeding ones do not.

Pure. Calls are given as Celery's events have them, texts of args and of kwargs (``literals/tree.py``). Every value has
a place: ``args[0]``, ``country``, ``order.lines[2].sku``. A call of which anything was cut out is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .tree import Kind, Node, read

#: Levels of nesting, and values of one call, that are looked at.
MAX_LEVELS, MAX_VALUES = 3, 60
#: Calls on either side that it takes to say anything.
LEAST_CALLS = 5
#: How much more frequent, in parts of 1, a value has to be.
LEAST_DIFFERENCE = 0.2
#: How many standard errors the difference has to be: by chance alone less than one value in two thousand would be.
LEAST_ERRORS = 3.5
#: Values that are told, and characters of each.
MOST, MAX_TEXT = 10, 80
#: Of a keyword that other calls have and this one has not.
NOT_GIVEN = ""

#: args and kwargs; None where it is not known.
Call = tuple[str | None, str | None]


@dataclass(frozen=True)
class StandsOut:
    """So many of the failing and of the other calls have `value` at `place`; :data:`NOT_GIVEN`: have none there."""

    place: str
    value: str
    failing: int
    others: int


@dataclass(frozen=True)
class Comparison:
    """What stands out, most telling first, among how many calls on either side were read."""

    values: Sequence[StandsOut]
    failing: int
    others: int

    @property
    def is_enough(self) -> bool:
        return min(self.failing, self.others) >= LEAST_CALLS


def compare(failing: Iterable[Call], others: Iterable[Call]) -> Comparison:
    """Compare calls. Cost: linear in the texts; some 50 µs for a call with a few short arguments."""
    left, right = _understood(failing), _understood(others)
    comparison = Comparison((), len(left), len(right))
    if not comparison.is_enough:
        return comparison
    keywords = {place for call in (*left, *right) for place in call if place.isidentifier()}
    counted = [Counter(pair for call in calls for pair in _pairs(call, keywords)) for calls in (left, right)]
    told = [
        StandsOut(place, value, count, counted[1][place, value])
        for (place, value), count in counted[0].items()
        if _stands_out(count, len(left), counted[1][place, value], len(right))
    ]
    told.sort(key=lambda each: (each.others / len(right) - each.failing / len(left), each.place, each.value))
    return Comparison(tuple(told[:MOST]), len(left), len(right))


def _understood(calls: Iterable[Call]) -> list[dict[str, str]]:
    return [values for call in calls if (values := _values(call)) is not None]


def _stands_out(count: int, calls: int, other_count: int, other_calls: int) -> bool:
    difference = count / calls - other_count / other_calls
    together = (count + other_count) / (calls + other_calls)
    error = (together * (1 - together) * (1 / calls + 1 / other_calls)) ** 0.5
    return difference >= LEAST_DIFFERENCE and difference >= LEAST_ERRORS * error


def _pairs(call: Mapping[str, str], keywords: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from call.items()
    for keyword in keywords:
        if keyword not in call:
            yield keyword, NOT_GIVEN


def _values(call: Call) -> dict[str, str] | None:
    """By place the values of a call; None where one of its texts is not known or not understood."""
    args, kwargs = (read(text) if text else None for text in call)
    if args is None or kwargs is None or kwargs.kind is not Kind.DICT or args.is_cut or kwargs.is_cut:
        return None
    found: dict[str, str] = {}
    for node, place in ((args, "args"), (kwargs, "")):
        for where, value in _leaves(node, place, MAX_LEVELS):
            if len(found) >= MAX_VALUES:
                return found
            found[where] = value
    return found


def _leaves(node: Node, place: str, levels: int) -> Iterator[tuple[str, str]]:
    if node.kind is Kind.REDACTED:
        # It is given, so that it is not taken for missing; no two of them are said to be equal or not.
        yield place, node.text
    elif not node.children or levels == 0 or node.kind is Kind.SET:
        yield place, node.text if len(node.text) <= MAX_TEXT else f"{node.text[: MAX_TEXT - 1]}…"
    else:
        for number, child in enumerate(node.children):
            yield from _leaves(child, _place(place, node, child, number), levels - 1)


def _place(place: str, parent: Node, child: Node, number: int) -> str:
    if parent.kind is not Kind.DICT:
        return f"{place}[{number}]"
    key = child.key.strip("\"'")
    return f"{place}.{key}" if place else key
