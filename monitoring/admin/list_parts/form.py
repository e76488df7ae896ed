"""What the list's form sends, as parameters of the list: two fields make a range, words typed join those that hold.

The form is complete without scripts: it sends every filter again, and :func:`asked_pairs` puts it together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from ...queries.search.editing import chosen
from ...queries.search.fields import FIELDS, Kind
from ...queries.search.grammar import parse
from ...queries.search.question import Question
from ...queries.search.tree import Node, Or, Range

#: Fields with a "from" and a "to" of their own.
RANGE_FIELDS = ("runtime", "wait", "retries")
#: Times of a task that a range can be about, most useful first.
TIME_FIELDS = ("first_seen", "received", "sent", "started", "finished")
_TIME = "time"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Ends:
    """What stands in the two fields of a range; `is_shown`: the question's range is wholly in them."""

    field: str
    low: str = ""
    high: str = ""
    is_shown: bool = False


@dataclass(frozen=True)
class Fields:
    """What the form holds beside the search box: `hidden` are the filters that no visible field stands for."""

    ranges: list[Ends]
    time: Ends
    hidden: Pairs = field(default_factory=list)


def asked_pairs(query: QueryDict) -> Pairs:
    """The parameters that a query string means, without empty ones; ``_runtime_from`` and such are put together."""
    given = [(name, text) for name, texts in query.lists() for text in texts if text.strip()]
    pairs = [(name, text) for name, text in given if not name.startswith("_") and name != "q"]
    typed = dict(given)
    for name in (*RANGE_FIELDS, _TIME):
        written = _range(typed.get(f"_{name}_from", ""), typed.get(f"_{name}_to", ""))
        if not written:
            continue
        chosen_time = typed.get("_time_field", "")
        known = chosen_time if chosen_time in TIME_FIELDS else TIME_FIELDS[0]
        target = known if name == _TIME else name
        pairs = [pair for pair in pairs if pair[0] != target]
        pairs.append((target, written))
    return pairs + [
        ("q", words) for words in _joinable([text.strip() for name, text in given if name == "q"])
    ]


def form_fields(question: Question, boxes: Sequence[tuple[str, str]]) -> Fields:
    """What the form shows of a question; `boxes` are the ticked boxes of the facets, as parameters."""
    ranges = [_ends(question.tree, name) for name in RANGE_FIELDS]
    times = [_ends(question.tree, name) for name in TIME_FIELDS]
    time = next((ends for ends in times if ends.is_shown), times[0])
    shown = {ends.field for ends in (*ranges, time) if ends.is_shown}
    hidden = [
        pair
        for pair in question.parameters()
        if pair[0] not in shown and pair not in boxes and not (pair[0] == "q" and question.text)
    ]
    return Fields(ranges, time, hidden)


def _range(low: str, high: str) -> str:
    low, high = low.strip(), high.strip()
    if low and high:
        return f"{low}..{high}"
    return f">={low}" if low else f"<={high}" if high else ""


def _joinable(texts: list[str]) -> list[str]:
    """Several searches that all have to hold: an OR among them needs parentheses."""
    if len(texts) < 2:
        return texts
    return [f"({text})" if isinstance(parse(text).tree, Or) else text for text in texts]


def _ends(tree: Node | None, name: str) -> Ends:
    values = chosen(tree, name)
    if len(values) != 1 or not isinstance(values[0], Range):
        return Ends(name)
    low, high = values[0].low, values[0].high
    if (low is not None and not low.inclusive) or (high is not None and not high.inclusive):
        return Ends(name)
    if FIELDS[name].kind is Kind.DURATION and low == high:
        return Ends(name)
    return Ends(name, low.text if low else "", high.text if high else "", is_shown=True)
