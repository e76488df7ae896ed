"""The whole filter in a URL, and back. Pure.

Each field is a parameter, ``-`` before its name excludes, and several values are several parameters:
``state=FAILURE&state=RETRY&-queue=archive&runtime=>10s``. A value is written as behind its colon in the search box, but
blanks need no quotes. What is no single term of a field (words, OR, parentheses, a second term of one field) stands in
``q``. Older names of the time range are read too: ``period=1h``, ``from=``, ``to=`` mean ``first_seen``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from .editing import add
from .fields import FIELDS
from .grammar import MAX_TERMS, parse, parse_values, storable
from .mistakes import Mistake, Stop
from .printing import text_of, value_text
from .tree import Bound, Node, Not, Range, Term, conjunction, conjuncts, simple, terms

_RANGE_ENDS = {"period": ">=-{}", "from": ">={}", "to": "<={}"}


@dataclass(frozen=True)
class Question:
    """What is asked of the task list. `mistakes`: what could not be read; nothing is listed while there are any.

    `text` is the search box where that could not be read, so that the reader can mend it; else empty.
    """

    tree: Node | None = None
    mistakes: tuple[Mistake, ...] = ()
    text: str = ""

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]]) -> Question:
        """From the decoded pairs of a query string (``(k, v) for k, vs in request.GET.lists() for v in vs``).

        Parameters that are no fields, and empty ones, are not looked at. Never raises.
        """
        by_name: dict[str, list[str]] = {}
        for name, value in parameters:
            by_name.setdefault(name, []).append(value)
        tree: Node | None = None
        mistakes: list[Mistake] = []
        text = " ".join(value for value in by_name.pop("q", ()) if value.strip())
        for name, values in by_name.items():
            try:
                term = _term(name, [value for value in values if value.strip()])
            except Stop as stop:
                mistakes.append(replace(stop.mistake, parameter=name))
            else:
                tree = tree if term is None else add(tree, term)
        parsed = parse(text)
        if parsed.mistake is not None:
            mistakes.append(parsed.mistake)
        elif parsed.tree is not None:
            tree, text = add(tree, parsed.tree), ""
        if len(terms(tree)) > MAX_TERMS:
            mistakes.append(Mistake("terms", f"A search has at most {MAX_TERMS} terms."))
        return cls(tree, tuple(mistakes), text.strip())

    def with_tree(self, tree: Node | None) -> Question:
        """The same with another tree; a search box that could not be read stays."""
        return replace(self, tree=tree)

    def parameters(self) -> list[tuple[str, str]]:
        """The one form in which this question stands in a URL; reading it gives the same question, but for parentheses
        that say nothing."""
        pairs: list[tuple[str, str]] = []
        used: set[str] = set()
        rest: list[Node] = []
        for node in conjuncts(self.tree):
            found = simple(node)
            if found is None:
                rest.append(node)
                continue
            term, excluded = found
            name = f"-{term.field}" if excluded else term.field
            if name in used or rest:
                rest.append(node)
                continue
            used.add(name)
            pairs += [(name, value_text(term.field, value)) for value in term.values]
        words = self.text or text_of(conjunction(tuple(rest)))
        return [*pairs, ("q", words)] if words else pairs

    def query_string(self, **others: str | None) -> str:
        """``?state=FAILURE&sort=-runtime``; `others` are parameters that are no filter; empty ones are left out."""
        kept = [(name, value) for name, value in others.items() if value]
        return f"?{urlencode([*self.parameters(), *kept])}"


def _term(name: str, values: list[str]) -> Node | None:
    if not values:
        return None
    if name in _RANGE_ENDS:
        return parse_values("first_seen", [_RANGE_ENDS[name].format(values[-1].strip())])
    field = name.removeprefix("-")
    if field not in FIELDS:
        return None
    term = parse_values(field, values)
    return Not(term) if field != name else term


def time_range(field: str, start: str, end: str) -> Term:
    """The term that a brush makes: from `start` to `end`, as :func:`.values.stretch_of` reads them."""
    return Term(field, (Range(Bound(storable(start)), Bound(storable(end))),))
