"""Groups of failures: how often, since when, what they are doing, and the matrix of exceptions by window.

Counts are of tasks whose newest attempt ended in FAILURE, by the minute in which it ended, from the statistics: exact
under redelivery and late events, and still there when tasks are deleted. They end with the last minute that is over
and counted (:func:`end_of_counts`), so that the task list of the same range has as many, but for deleted tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Max, Min, Q, QuerySet, Sum

from ..failure_states import TROUBLE, History, Standing, standing
from ..models import FailureGroup, FailureSighting, FailureTriage, Grain, Statistic, StatisticFailure, Task
from ..time_steps import DAY, HOUR, MINUTE, start_of
from .statistics_range import cover
from .statistics_rows import only_visible, within
from .visibility import Visibility

#: Ranges of the page by their name in the URL.
PERIODS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
#: Windows of the matrix, by their name.
WINDOWS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
#: How far back the rules of ``failure_states.py`` look.
_JUDGED = timedelta(days=8)
#: Groups that are judged, those with most failures first: more cannot be read, and old SQLite takes 999 parameters.
MOST_GROUPS = 500
#: How long after its end a minute is taken for counted: upkeep counts every 15 seconds.
_COUNTED_AFTER = timedelta(seconds=20)
#: How far back a task's page counts the failures like its own.
LIKE_THIS = timedelta(days=30)
#: First and last seen.
Span = tuple[datetime, datetime]
#: The beginning of a stretch of time, and how many failed in it.
Counts = Sequence[tuple[datetime, int]]


@dataclass(frozen=True)
class Group:
    """A group of failures in a period. `count` is of the period; versions are labels of deploy marks, or empty.

    `path`, `line` and `function` are of the example and part of a traceback: for those who may see payloads.
    """

    fingerprint: str
    name: str
    exception_type: str
    path: str
    line: int
    function: str
    own_code: bool
    example_id: str
    first_version: str
    last_version: str
    count: int
    history: History
    standing: Standing
    triage: FailureTriage

    @property
    def first_seen(self) -> datetime:
        return self.history.first_seen

    @property
    def last_seen(self) -> datetime:
        return self.history.last_seen

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has seen it as it is now: coming back and spiking after that ask anew."""
        at = self.triage.acknowledged_at
        if at is None:
            return False
        return not (
            self.standing in (Standing.CAME_BACK, Standing.SPIKING)
            and self.history.now - at > timedelta(days=1)
        )

    @property
    def is_trouble(self) -> bool:
        return self.standing in TROUBLE and not self.acknowledged


@dataclass(frozen=True)
class Window:
    """A stretch of whole minutes, `end` excluded; ``window.term`` is the value of ``finished`` in the task list."""

    start: datetime
    end: datetime

    @property
    def term(self) -> str:
        last = self.end - timedelta(seconds=MINUTE)
        return "..".join(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}" for moment in (self.start, last))


@dataclass(frozen=True)
class Failures:
    """All groups of a period, in no order, and the matrix: by exception type the counts of :data:`WINDOWS`.

    `total` counts every failure of the period, `ungrouped` those that were stored before failures had fingerprints.
    `left_out`: groups beyond :data:`MOST_GROUPS`.
    """

    window: Window
    groups: Sequence[Group]
    matrix: Sequence[tuple[str, tuple[int, ...]]]
    windows: Sequence[Window]
    total: int
    ungrouped: int
    left_out: int


def end_of_counts(now: datetime) -> datetime:
    """The end of the last minute that statistics have had the time to count."""
    return start_of(now - _COUNTED_AFTER, MINUTE)


def failures(visibility: Visibility, period: str, now: datetime, name: str = "") -> Failures:
    """The groups that failed in a period of :data:`PERIODS`, and the matrix; of one task name, where one is given.

    Cost: four statements: the statistics of failures, in the longest steps that fill eight days (or the period), added
    up by the database; the groups; what was decided about them; the statistics of their task names. None reads a task.
    A limited user asks a fifth: when the groups were seen in the queues that may be seen.
    """
    end = end_of_counts(now)
    lengths = _lengths(period)
    starts = [end - length for length in lengths]
    found = within(StatisticFailure.objects.order_by(), cover([*starts, end]))
    found = only_visible(visibility, found.filter(name=name) if name else found)
    sums = {f"last_{n}": Sum("count", filter=Q(start__gte=start)) for n, start in enumerate(starts)}
    index = {length: f"last_{n}" for n, length in enumerate(lengths)}
    counts: dict[str, dict[timedelta, int]] = {}
    matrix: dict[str, list[int]] = defaultdict(lambda: [0] * len(WINDOWS))
    for row in found.values("fingerprint", "exception_type").annotate(**sums):
        counted = {length: row[column] or 0 for length, column in index.items()}
        mine = counts.setdefault(row["fingerprint"], dict.fromkeys(lengths, 0))
        for length, count in counted.items():
            mine[length] += count
        for place, length in enumerate(WINDOWS.values()):
            matrix[row["exception_type"]][place] += counted[length]
    chosen = PERIODS[period]
    ungrouped = counts.pop("", {}).get(chosen, 0)
    here = {key: each for key, each in counts.items() if each[chosen]}
    kept = sorted(here, key=lambda key: (-here[key][chosen], key))[:MOST_GROUPS]
    groups = _groups(visibility, {key: here[key] for key in kept}, chosen, end)
    return Failures(
        window=Window(end - chosen, end),
        groups=groups,
        matrix=sorted(
            ((kind, tuple(row)) for kind, row in matrix.items() if any(row)),
            key=lambda row: (*(-count for count in row[1]), row[0]),
        ),
        windows=[Window(end - length, end) for length in WINDOWS.values()],
        total=sum(each[chosen] for each in here.values()) + ungrouped,
        ungrouped=ungrouped,
        left_out=len(here) - len(kept),
    )


def failure_group(
    visibility: Visibility, fingerprint: str, period: str, now: datetime, edges: Sequence[datetime] = ()
) -> tuple[Group, Counts] | None:
    """One group, whether or not it failed in the period, and how often at which times; None where there is none that
    may be seen. No stored bucket of the counts lies across one of `edges`, whole minutes in rising order.

    Cost: as :func:`failures`, for one fingerprint, by an index.
    """
    end = end_of_counts(now)
    lengths = _lengths(period)
    starts = [end - length for length in lengths]
    found = within(StatisticFailure.objects.order_by(), cover(sorted({*starts, *edges, end})))
    found = only_visible(visibility, found.filter(fingerprint=fingerprint.replace("\0", "")))
    rows = list(found.values_list("start").annotate(Sum("count")))
    counts = {
        length: sum(count for at, count in rows if at >= start)
        for length, start in zip(lengths, starts, strict=True)
    }
    groups = _groups(visibility, {fingerprint: counts}, PERIODS[period], end)
    return (groups[0], rows) if groups else None


def failures_like(visibility: Visibility, task: Task, now: datetime) -> int:
    """How many tasks failed like this one in the last :data:`LIKE_THIS`, deleted ones too; 0 where it did not fail.

    Cost: the statistics of one fingerprint, by an index: some hundred rows at most.
    """
    if not task.fingerprint:
        return 0
    end = end_of_counts(now)
    found = within(StatisticFailure.objects.order_by(), cover([end - LIKE_THIS, end]))
    found = only_visible(visibility, found.filter(fingerprint=task.fingerprint))
    return int(found.aggregate(total=Sum("count"))["total"] or 0)


def visible_groups(visibility: Visibility, fingerprints: Collection[str]) -> dict[str, FailureGroup]:
    """Those of these groups that exist and may be seen. Cost: the primary key of each, and for a reader of some queues
    their sightings."""
    return {key: group for key, (group, _seen) in _visible(visibility, fingerprints).items()}


def triage_of(fingerprints: Collection[str]) -> dict[str, FailureTriage]:
    """What was decided about each of these groups. Cost: the primary key of each."""
    found = FailureTriage.objects.in_bulk(list(fingerprints))
    return {key: found.get(key) or FailureTriage(fingerprint=key) for key in fingerprints}


def _lengths(period: str) -> list[timedelta]:
    return sorted({*WINDOWS.values(), PERIODS[period], _JUDGED}, reverse=True)


def _groups(
    visibility: Visibility,
    counts: Mapping[str, Mapping[timedelta, int]],
    chosen: timedelta,
    end: datetime,
) -> list[Group]:
    visible = _visible(visibility, counts)
    known = {key: group for key, (group, _) in visible.items()}
    seen = {key: span for key, (_, span) in visible.items()}
    triage = triage_of(known)
    successes = _successes(visibility, known, seen, end)
    groups = []
    for key, group in known.items():
        count, decided = counts[key], triage[key]
        history = History(
            now=end,
            first_seen=seen[key][0],
            last_seen=seen[key][1],
            last_hour=count[WINDOWS["1h"]],
            last_day=count[WINDOWS["24h"]],
            last_week=count[WINDOWS["7d"]],
            week_before=count[_JUDGED] - count[WINDOWS["24h"]],
            successes=successes[key],
            muted_until=decided.muted_until,
        )
        groups.append(
            Group(
                fingerprint=key,
                name=group.name,
                exception_type=group.exception_type,
                path=group.path,
                line=group.line,
                function=group.function,
                own_code=group.own_code,
                example_id=group.example_id,
                # Where a reader sees some queues only, these may be of others.
                first_version=group.first_version if seen[key][0] == group.first_seen else "",
                last_version=group.last_version if seen[key][1] == group.last_seen else "",
                count=count[chosen],
                history=history,
                standing=standing(history),
                triage=decided,
            )
        )
    return groups


def _visible(visibility: Visibility, fingerprints: Collection[str]) -> dict[str, tuple[FailureGroup, Span]]:
    """Groups that may be seen, each with when it was first and last seen where the reader may see it."""
    keys = [key for key in fingerprints if "\0" not in key]
    groups = [group for group in FailureGroup.objects.filter(pk__in=keys) if _may_see(visibility, group)]
    if visibility.queues is None:
        return {group.pk: (group, (group.first_seen, group.last_seen)) for group in groups}
    seen = _seen(visibility, [group.pk for group in groups])
    return {group.pk: (group, seen[group.pk]) for group in groups if group.pk in seen}


def _may_see(visibility: Visibility, group: FailureGroup) -> bool:
    return visibility.names is None or (group.name != "" and visibility.allows_name(group.name))


def _seen(visibility: Visibility, keys: Sequence[str]) -> dict[str, Span]:
    """When groups were first and last seen in the queues that may be seen."""
    rows = FailureSighting.objects.filter(fingerprint__in=keys).order_by()
    spans: dict[str, Span] = {}
    for key, queue, first, last in rows.values_list("fingerprint", "queue").annotate(
        Min("first_seen"), Max("last_seen")
    ):
        if queue and visibility.allows_queue(queue):
            before = spans.get(key, (first, last))
            spans[key] = (min(first, before[0]), max(last, before[1]))
    return spans


def _successes(
    visibility: Visibility,
    groups: Mapping[str, FailureGroup],
    seen: Mapping[str, Span],
    end: datetime,
) -> dict[str, int]:
    """How many runs of each group's task succeeded in whole steps after that in which it last failed.

    A step is a minute in the last hour, an hour in the last day, a day before that, for 30 days: so that the answer
    costs a hundred rows for each name, and is never too many.
    """
    if not groups:
        return {}
    ends = [end - LIKE_THIS, end - timedelta(days=1), end - timedelta(hours=1), end]
    steps = (DAY, HOUR, MINUTE)
    stretches = [
        stretch
        for (begin, until), coarsest in zip(pairwise(ends), steps, strict=True)
        for stretch in cover([begin, until], coarsest)
    ]
    found: QuerySet[Any] = within(Statistic.objects.filter(grain=Grain.TASK).order_by(), stretches)
    found = only_visible(visibility, found.filter(name__in={group.name for group in groups.values()}))
    by_name: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for name, _step, start, count in found.values_list("name", "step", "start").annotate(Sum("succeeded")):
        by_name[name].append((start, count))
    return {
        key: sum(count for start, count in by_name[group.name] if start > seen[key][1])
        for key, group in groups.items()
    }
