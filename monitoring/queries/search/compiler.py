"""From the tree to a condition on tasks, with one meaning on PostgreSQL and SQLite.

A term holds where its column has a value that matches; NOT is the reverse, so that ``-queue:archive`` finds tasks whose
queue is not known. Names, ids, workers and queues are compared byte by byte, long texts whatever the case of A to Z.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial, reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q

from ..patterns import literally
from . import lookups  # noqa: F401  registers what the conditions are made of
from .fields import BARE_WORD, FIELDS, Field, Kind
from .index import COLUMNS as INDEXED_COLUMNS
from .index import SHORTEST
from .matching import holds, matches
from .mistakes import Mistake
from .tree import Bound, Missing, Node, Not, Or, Pattern, Range, Term, Value, conjuncts, terms
from .values import count_of, seconds_of, stretch_of

_LAST_CHARACTER = chr(0x10FFFF)
#: A text that looks like a task's id or its first part, as pages show it.
_BEGINNING_OF_ID = re.compile(r"[0-9a-fA-F]{8}[0-9a-fA-F-]{0,28}\Z")
#: Most names that a condition lists one by one.
_MOST_NAMES = 200
_UNASKED: Collection[str] = frozenset({"not asked yet"})
#: Times that no event of a task is earlier than `first_seen` in.
_NEVER_BEFORE_FIRST_SEEN = frozenset({"sent", "received", "started", "attempt_started", "finished"})


@dataclass(frozen=True)
class Circumstances:
    """What decides how a tree is understood beside itself.

    `now` and `zone`: what relative times and times without a zone mean. `with_payload`: the reader may see arguments,
    results and exceptions; without, none of these is looked into, so that none can be guessed by searching.
    `text_index`: long texts have an index; without, they are looked into within a time range alone. `names`: gives the
    names of all tasks, where they are few enough to be compared here, so that the database need not; else None.
    """

    now: datetime
    zone: tzinfo
    with_payload: bool
    text_index: bool
    names: Callable[[], Collection[str] | None] = lambda: None


@dataclass(frozen=True)
class Compiled:
    """`condition` for ``Task.objects.filter``; nothing may be listed while there are `mistakes`.

    `texts_skipped`: bare words were looked for in ids and names alone, for want of a time range.
    """

    condition: Q
    mistakes: tuple[Mistake, ...] = ()
    texts_skipped: bool = False


def compile_tree(tree: Node | None, circumstances: Circumstances) -> Compiled:
    """The condition of a tree. Never raises. Asks the database for nothing but names, and those only where it must."""
    compiling = _Compiling(circumstances, bounded=has_time_range(tree))
    condition = _all([compiling.node(node, negated=False) for node in conjuncts(tree)])
    condition &= compiling.implied(tree)
    return Compiled(condition, tuple(compiling.mistakes), compiling.texts_skipped)


def has_time_range(tree: Node | None) -> bool:
    """Whether a time has to be later than something, whatever else holds."""
    return any(
        isinstance(node, Term)
        and node.field
        and FIELDS[node.field].kind is Kind.TIME
        and all(isinstance(value, Range) and value.low is not None for value in node.values)
        for node in conjuncts(tree)
    )


def needs_time_range(tree: Node | None) -> bool:
    """Whether any term looks into long texts."""
    return any(term.field == "" or FIELDS[term.field].kind is Kind.TEXT for term in terms(tree))


class _Compiling:
    def __init__(self, circumstances: Circumstances, *, bounded: bool) -> None:
        self._given = circumstances
        self._bounded = bounded
        self.mistakes: list[Mistake] = []
        self.texts_skipped = False
        self._known: Collection[str] | None = _UNASKED

    def node(self, node: Node, *, negated: bool) -> Q:
        # NOT goes down to the terms: SQL's own is neither true nor false where a column has no value.
        if isinstance(node, Not):
            return self.node(node.child, negated=not negated)
        if isinstance(node, Term):
            return self._term(node, negated=negated)
        children = [self.node(child, negated=negated) for child in node.children]
        return _any(children) if isinstance(node, Or) is not negated else _all(children)

    def implied(self, tree: Node | None) -> Q:
        """What follows from times for `first_seen`, the least of all of a task's times, which pages go by."""
        condition = Q()
        for node in conjuncts(tree):
            if not isinstance(node, Term) or node.field not in _NEVER_BEFORE_FIRST_SEEN:
                continue
            ends = [self._end(value.high) if isinstance(value, Range) else None for value in node.values]
            if all(ends):
                condition &= Q(first_seen__lt=max(end for end in ends if end))
        return condition

    def _end(self, bound: Bound | None) -> datetime | None:
        stretch = bound and stretch_of(bound.text, self._given.now, self._given.zone)
        return stretch[1] + timedelta(microseconds=1) if stretch else None

    def _term(self, term: Term, *, negated: bool) -> Q:
        field = FIELDS[term.field] if term.field else BARE_WORD
        if field.kind is Kind.TEXT:
            condition = self._text_term(term, field, negated=negated)
        else:
            [column] = field.columns
            condition = _any([self._value(field.kind, column, value, term) for value in _merged(field, term)])
        return ~condition if negated else condition

    def _value(self, kind: Kind, column: str, value: Value | list[str], term: Term) -> Q:
        if isinstance(value, list):
            return Q(**{f"{column}__in": value}) if len(value) > 1 else Q(**{column: value[0]})
        if isinstance(value, Missing):
            empty = Q(**{f"{column}__isnull": True})
            return empty | Q(**{column: ""}) if kind in (Kind.NAME, Kind.ID) else empty
        if isinstance(value, Pattern):
            found = _in_any((column,), value) if value.anywhere else _identifier(kind, column, value)
            matching = partial(holds if value.anywhere else matches, value)
            return self._names(matching, found) if column == "name" and any(value.pieces) else found
        if kind is Kind.TIME:
            return self._time(column, value, term)
        number = seconds_of if kind is Kind.DURATION else count_of
        condition = Q(**{f"{column}__isnull": False})
        for bound, sign in ((value.low, "gt"), (value.high, "lt")):
            if bound is not None:
                condition &= Q(**{f"{column}__{sign}{'e' * bound.inclusive}": number(bound.text)})
        return condition

    def _time(self, column: str, value: Range, term: Term) -> Q:
        condition = Q(**{f"{column}__isnull": False})
        for bound, is_low in ((value.low, True), (value.high, False)):
            if bound is None:
                continue
            stretch = stretch_of(bound.text, self._given.now, self._given.zone)
            if stretch is None:
                self._mistake(term, "time", f"{bound.text} is a time that cannot be reached from here.")
                continue
            start, end = stretch
            if is_low:
                lookup, moment = ("gte", start) if bound.inclusive else ("gte" if end > start else "gt", end)
            else:
                lookup, moment = ("lt" if end > start else "lte", end) if bound.inclusive else ("lt", start)
            condition &= Q(**{f"{column}__{lookup}": moment})
        return condition

    def _text_term(self, term: Term, field: Field, *, negated: bool) -> Q:
        columns = field.columns if self._given.with_payload else field.public
        if not columns:
            self._mistake(
                term, "permission", f"Looking into {field.name} needs the permission to view payloads."
            )
            return Q()
        conditions = []
        for value in term.values:
            if isinstance(value, Missing):
                conditions.append(
                    _all([Q(**{f"{column}__isnull": True}) | Q(**{column: ""}) for column in columns])
                )
            else:
                assert isinstance(value, Pattern)
                conditions.append(self._text(term, value, field, columns, negated=negated))
        return _any(conditions)

    def _text(
        self, term: Term, pattern: Pattern, field: Field, columns: tuple[str, ...], *, negated: bool
    ) -> Q:
        is_word = field is BARE_WORD
        if not self._bounded:
            if self._is_indexed(pattern, columns) and not negated:
                found = Q(pk__in_search_index=pattern.pieces) & _in_any(columns, pattern)
                return found | _identifier(Kind.ID, "task_id", pattern) if is_word else found
            if not is_word:
                self._mistake(
                    term, "needs_range",
                    f"Looking for text in {field.name} needs a time range, such as first_seen:-24h"
                    + (f", or {SHORTEST} letters in a row." if self._given.text_index else "."),
                )  # fmt: skip
                return Q()
            self.texts_skipped = True
            found = _identifier(Kind.ID, "task_id", pattern)
            if len(pattern.pieces) == 1 and _BEGINNING_OF_ID.match(pattern.pieces[0]):
                return found
            return found | self._names(partial(holds, pattern), _in_any(("name",), pattern))
        found = _in_any(columns, pattern)
        return found | _identifier(Kind.ID, "task_id", pattern) if is_word else found

    def _names(self, matching: Callable[[str], bool], otherwise: Q) -> Q:
        """The names that match, one by one, which an index finds; `otherwise` where they are too many to tell."""
        if self._known is _UNASKED:
            self._known = self._given.names()
        if self._known is None:
            return otherwise
        found = [name for name in self._known if matching(name)]
        return Q(name__in=found) if len(found) <= _MOST_NAMES else otherwise

    def _is_indexed(self, pattern: Pattern, columns: tuple[str, ...]) -> bool:
        return (
            self._given.text_index
            and set(columns) <= set(INDEXED_COLUMNS)
            and max(map(len, pattern.pieces)) >= SHORTEST
        )

    def _mistake(self, term: Term, code: str, message: str) -> None:
        start, end = term.span
        # A term that stands in a parameter of its own has no place in the search box.
        parameter = "q" if end else term.field
        self.mistakes.append(Mistake(code, message, start, end - start, parameter))


def _merged(field: Field, term: Term) -> Iterable[Value | list[str]]:
    """The values of a term, with whole names put together: one IN is better planned than several ORs."""
    whole = [
        value.pieces[0]
        for value in term.values
        if isinstance(value, Pattern)
        and len(value.pieces) == 1
        and field.kind is not Kind.ID
        and not value.anywhere
    ]
    if whole:
        yield whole
    for value in term.values:
        if not (
            isinstance(value, Pattern) and not value.anywhere and value.pieces in {(text,) for text in whole}
        ):
            yield value


def _identifier(kind: Kind, column: str, pattern: Pattern) -> Q:
    """A name or an id that matches a pattern; of an id without stars, the beginning."""
    [*before, last] = pattern.pieces
    if not before and column == "root_id":
        # What belongs to a root was sent by a member of its family, or is the root: an index has the former.
        begins = _begins("root_id", last)
        return begins & Q(parent_id__isnull=False) | _begins("task_id", last) & begins
    if not before and kind is Kind.ID:
        return _begins(column, last)
    if not any(pattern.pieces):
        return Q(**{f"{column}__isnull": False})
    return Q(**{f"{column}__matches": "*".join(map(literally, pattern.pieces))})


def _begins(column: str, text: str) -> Q:
    """Case counts, but for what looks like a UUID: people copy those in either case, each of which is a range."""
    cases = sorted({text, text.lower(), text.upper()}) if _BEGINNING_OF_ID.match(text) else [text]
    # Not LIKE: SQLite's ignores case, and so ignores the index.
    return _any([Q(**{f"{column}__gte": case, f"{column}__lt": case + _LAST_CHARACTER}) for case in cases])


def _in_any(columns: Iterable[str], pattern: Pattern) -> Q:
    conditions: list[Q] = []
    for column in columns:
        if not any(pattern.pieces):
            conditions.append(Q(**{f"{column}__isnull": False}))
        else:
            lookup = "holds_anywhere" if column == "traceback" else "holds"
            conditions.append(Q(**{f"{column}__{lookup}": pattern.pieces}))
    return _any(conditions)


def _any(conditions: Iterable[Q]) -> Q:
    found = list(conditions)
    return reduce(or_, found) if found else Q(pk__in=[])


def _all(conditions: Iterable[Any]) -> Q:
    return reduce(and_, conditions, Q())
