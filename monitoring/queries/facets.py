"""How many tasks match, and how many of them have each state, name, exception type, queue and worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..models import Task
from .reading import OutOfTime, Reading
from .search.editing import chosen, remove_field
from .search.fields import STATES
from .search.tree import Missing, Pattern, conjuncts
from .task_list import Asked
from .time_range import chosen_range

#: Fields of the search, in the order of the page; each is a column of the same name.
FIELDS = ("state", "name", "exception_type", "queue", "worker")
#: Newest matching tasks that are counted. More would not be counted in time.
MOST = 10_000
#: The same where several filters have to hold: for each task that matches, many others are read.
MOST_OF_SEVERAL = 2_000
#: Values of one field that are listed.
LISTED = 12
#: Fewer where these are not found in time, and then only those of the last day of what is asked for.
FEWER = 1_000
_STRETCH = timedelta(days=1)
_TASKS = f'"{Task._meta.db_table}"'
#: What is known of the table, by kind of database: seconds since the epoch, and rows.
_TABLE = {
    "postgresql": (
        f"SELECT '*', 'oldest', floor(extract(epoch FROM min(first_seen)))::bigint FROM {_TASKS}",  # noqa: S608
        f"SELECT '*', 'rows', greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '{_TASKS}'::regclass",  # noqa: S608
    ),
    "sqlite": (f"SELECT '*', 'oldest', CAST(strftime('%%s', min(first_seen)) AS integer) FROM {_TASKS}",),  # noqa: S608
}


@dataclass(frozen=True)
class Value:
    """A value with its number of tasks; `chosen` and `excluded`: the question has it as a term of its own."""

    value: str
    number: int
    chosen: bool = False
    excluded: bool = False


@dataclass(frozen=True)
class Facet:
    """Values of one field, most first; states in their own order, those without a task too. What is chosen is always
    there. `others`: how many more values were counted. `counted`: of how many tasks; the newest where not `complete`.
    """

    field: str
    values: tuple[Value, ...]
    others: int = 0
    counted: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Facets:
    """`since`: only tasks first seen since then were counted, for want of time; None: no such limit. Without an answer
    in time all numbers are 0 and `in_time` is false.

    `total`: how many tasks match, at least so many where it is `most`; None: not counted. `beside`: the same of what
    was to be counted beside, by its name, where it was, up to MOST. `oldest`: when the first task of all was first
    seen, `rows`: how many there are by the statistics of the database, 0 where it has none.
    """

    facets: tuple[Facet, ...]
    since: datetime | None = None
    in_time: bool = True
    has_mistake: bool = False
    total: int | None = None
    most: int = MOST
    beside: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None
    rows: int = 0

    @property
    def is_counted(self) -> bool:
        """`total` is how many tasks match, and not how many were looked at."""
        return self.total is not None and self.total < self.most

    @property
    def is_known(self) -> bool:
        """Whether anything was counted at all: not without time, and not while the filter has a mistake."""
        return self.in_time and not self.has_mistake


def facets(asked: Asked, reading: Reading, beside: Mapping[str, QuerySet[Task]] | None = None) -> Facets:
    """Each field's values under the question without that field's own terms, and what else a page counts (`beside`).

    Cost: one question, two more where it takes too long; it reads the newest matching tasks once, and once more for
    each field that is filtered itself: MOST of one filter, MOST_OF_SEVERAL of more; and MOST of each that is counted
    beside.
    """
    if asked.mistakes:
        return Facets(_read(asked, {}, {}, MOST), has_mistake=True)
    first = MOST if len(conjuncts(asked.question.tree)) < 2 else min(MOST, MOST_OF_SEVERAL)
    chosen = chosen_range(asked)
    newest = min(chosen[2], asked.now) if chosen is not None else asked.now
    for most, since in ((first, None), (FEWER, None), (FEWER, newest - _STRETCH)):
        is_all = most == first and since is None
        try:
            values, sizes = reading.ask(partial(_count, asked, beside or {} if is_all else {}, most, since))
        except OutOfTime:
            continue
        oldest = sizes.get("oldest")
        return Facets(
            _read(asked, values, sizes, most),
            since,
            total=sizes.get("total", 0) if is_all else None,
            most=most,
            beside={name: sizes.get(name, 0) for name in beside or ()} if is_all else {},
            oldest=datetime.fromtimestamp(oldest, UTC) if oldest is not None else None,
            rows=sizes.get("rows", 0),
        )
    return Facets(_read(asked, {}, {}, 0), in_time=False)


def _count(
    asked: Asked, beside: Mapping[str, QuerySet[Task]], most: int, since: datetime | None
) -> tuple[dict[str, Counter[str]], dict[str, int]]:
    """Numbers by field and value; sizes of each field's sample, of the ``total``, and what is known of the table."""
    samples = _Samples(most, since)
    vendor = connections[Task.objects.db].vendor
    parts = list(_TABLE[vendor])
    fields: dict[str, list[str]] = {}
    for each in FIELDS:
        tree = remove_field(asked.question.tree, each)
        name = samples.of(replace(asked, question=asked.question.with_tree(tree)))
        if name is not None:
            fields.setdefault(name, []).append(each)
    for name, counted in fields.items():
        parts += _groups(name, counted, vendor)
    total = samples.of(asked)
    if total is not None:
        parts.append(f"SELECT '*', 'total', count(*) FROM {total}")  # noqa: S608
    for what, tasks in beside.items():
        name = samples.add(tasks.values("pk")[:MOST])
        if name is not None:
            parts.append(f"SELECT '*', '{what}', count(*) FROM {name}")  # noqa: S608
    beginning = f"WITH {', '.join(samples.sql)} " if samples.sql else ""
    with connections[Task.objects.db].cursor() as cursor:
        cursor.execute(beginning + " UNION ALL ".join(parts), samples.params)
        rows = cursor.fetchall()
    values: dict[str, Counter[str]] = {each: Counter() for each in FIELDS}
    sizes: Counter[str] = Counter()
    for each, value, number in rows:
        if each == "*":
            if number is not None:
                sizes[value] = number
            continue
        sizes[each] += number
        if value:
            values[each][value] = number
    return values, sizes


def _groups(sample: str, fields: list[str], vendor: str) -> list[str]:
    """Statements that count the values of `fields` in a sample: one that reads it once, where there is such."""
    if vendor != "postgresql" or len(fields) == 1:
        return [f"SELECT '{each}', {each}, count(*) FROM {sample} GROUP BY {each}" for each in fields]  # noqa: S608
    which = " ".join(f"WHEN grouping({each}) = 0 THEN '{each}'" for each in fields)
    sets = ", ".join(f"({each})" for each in fields)
    # In a row of one set the columns of the others are NULL.
    value = f"coalesce({', '.join(fields)})"
    return [f"SELECT CASE {which} END, {value}, count(*) FROM {sample} GROUP BY GROUPING SETS ({sets})"]  # noqa: S608


class _Samples:
    """The newest tasks of each question once, as the WITH of a statement."""

    def __init__(self, most: int, since: datetime | None) -> None:
        self.sql: list[str] = []
        self.params: list[Any] = []
        self._most, self._since = most, since
        self._names: dict[Any, str | None] = {}

    def of(self, asked: Asked) -> str | None:
        """The name of its sample; None where nothing can match."""
        tree = asked.question.tree
        if tree not in self._names:
            self._names[tree] = None if asked.mistakes else self._sample(asked)
        return self._names[tree]

    def _sample(self, asked: Asked) -> str | None:
        tasks: QuerySet[Task] = asked.tasks()
        if self._since is not None:
            tasks = tasks.filter(first_seen__gte=self._since)
        return self.add(tasks.order_by("-first_seen", "-task_id").values(*FIELDS)[: self._most])

    def add(self, sample: QuerySet[Task, Any]) -> str | None:
        try:
            sql, params = sample.query.get_compiler(using=Task.objects.db).as_sql()
        except EmptyResultSet:
            return None
        name = f"sample_{len(self.sql)}"
        self.sql.append(f"{name} AS ({sql})")
        self.params += params
        return name


def _read(
    asked: Asked, values: dict[str, Counter[str]], sizes: dict[str, int], most: int
) -> tuple[Facet, ...]:
    """`most`: the size of a sample that may not be all."""
    return tuple(
        _facet(
            asked,
            field,
            values.get(field, Counter()),
            sizes.get(field, 0),
            complete=sizes.get(field, 0) < most,
        )
        for field in FIELDS
    )


def _facet(asked: Asked, field: str, numbers: Counter[str], counted: int, *, complete: bool) -> Facet:
    tree = asked.question.tree
    ticked = [_text(value) for value in chosen(tree, field)]
    crossed = [_text(value) for value in chosen(tree, field, excluded=True)]
    if field == "state":
        listed = list(STATES)
    else:
        listed = [value for value, _ in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))][
            :LISTED
        ]
        listed += [value for value in dict.fromkeys((*ticked, *crossed)) if value and value not in listed]
    values = tuple(Value(value, numbers[value], value in ticked, value in crossed) for value in listed)
    return Facet(field, values, len(set(numbers) - set(listed)), counted, complete)


def _text(value: Any) -> str:
    """The name that a term asks for; empty for what no box of a facet can show: a pattern, or no value."""
    if isinstance(value, Missing) or not isinstance(value, Pattern):
        return ""
    return value.pieces[0] if len(value.pieces) == 1 else ""
