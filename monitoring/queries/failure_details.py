"""What rows and pages of groups of failures show beside the groups: bars, workers, what the example said, marks."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import QuerySet, Sum

from ..models import DeployMark, FailureSighting, StatisticFailure, Task
from ..time_steps import FIVE_MINUTES, HOUR, MINUTE, SIX_HOURS, start_of
from .failures import PERIODS, Counts, Group, end_of_counts, failure_group
from .marks import marks, marks_of, marks_sql
from .statistics_range import cover
from .statistics_rows import only_visible, within
from .visibility import Visibility

#: Seconds of a bar of a sparkline, and of the statistics that it is made of.
BARS: Mapping[str, tuple[int, int]] = {
    "1h": (MINUTE, MINUTE),
    "24h": (6 * FIVE_MINUTES, FIVE_MINUTES),
    "7d": (3 * HOUR, HOUR),
    "30d": (2 * SIX_HOURS, SIX_HOURS),
}


@dataclass(frozen=True)
class Details:
    """What a row shows beside its group: counts from each of `starts` on, oldest first; `workers` None for who may not
    see them; `marks` of the period, for the page of one group."""

    starts: Sequence[datetime]
    bars: Sequence[int]
    workers: Sequence[str] | None
    message: str
    marks: Sequence[DeployMark] = ()


def details(
    visibility: Visibility, groups: Sequence[Group], period: str, now: datetime, *, with_payload: bool
) -> dict[str, Details]:
    """What the rows of these groups show beside, by fingerprint; `groups` are those of a page.

    Cost: three statements: a range of an index for each group, at most 288 rows; their sightings; the primary key of
    each example.
    """
    keys, end = [group.fingerprint for group in groups], end_of_counts(now)
    edges = _edges(period, end)
    found = within(StatisticFailure.objects.order_by(), cover(edges, BARS[period][1]))
    found = only_visible(visibility, found.filter(fingerprint__in=keys))
    counts: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for key, moment, count in found.values_list("fingerprint", "start").annotate(Sum("count")):
        counts[key].append((moment, count))
    workers = _workers(visibility, keys, edges[0])
    messages = _messages(visibility, groups) if with_payload else {}
    return {
        key: Details(
            edges[:-1],
            _bars(edges, counts[key]),
            workers[key] if workers is not None else None,
            messages.get(key, ""),
        )
        for key in keys
    }


def group_with_details(
    visibility: Visibility, fingerprint: str, period: str, now: datetime
) -> tuple[Group, Details] | None:
    """One group with its bars, workers and marks, without a message; None where there is none that may be seen.

    Cost: as :func:`.failures.failure_group`, and one statement for its sightings and the marks.
    """
    edges = _edges(period, end_of_counts(now))
    found = failure_group(visibility, fingerprint, period, now, edges)
    if found is None:
        return None
    group, counts = found
    workers, marked = _workers_and_marks(visibility, fingerprint, edges[0], edges[-1])
    return group, Details(edges[:-1], _bars(edges, counts), workers, "", tuple(marked))


def _workers(visibility: Visibility, keys: Sequence[str], since: datetime) -> dict[str, list[str]] | None:
    if not visibility.is_everything:
        return None
    workers: dict[str, list[str]] = {key: [] for key in keys}
    for key, worker in _seen_on(keys, since):
        workers[key].append(worker)
    return workers


def _seen_on(keys: Sequence[str], since: datetime) -> QuerySet[FailureSighting, tuple[str, str]]:
    """Fingerprint and worker of their sightings."""
    rows = FailureSighting.objects.filter(fingerprint__in=keys, last_seen__gte=since).exclude(worker="")
    return rows.order_by("worker").values_list("fingerprint", "worker").distinct()


def _workers_and_marks(
    visibility: Visibility, key: str, since: datetime, until: datetime
) -> tuple[list[str] | None, list[DeployMark]]:
    """The workers of one group, and the marks of the time, in one statement."""
    if not visibility.is_everything:
        return None, marks(since, until)
    seen = _seen_on([key], since)
    workers, of_workers = seen.query.get_compiler(using=seen.db).as_sql()
    drawn, of_marks = marks_sql(since, until)
    with connections[seen.db].cursor() as cursor:
        cursor.execute(
            f"SELECT worker, NULL, NULL, NULL FROM ({workers}) seen UNION ALL "  # noqa: S608  subqueries of Django
            f"SELECT NULL, id, at, label FROM ({drawn}) marks",
            [*of_workers, *of_marks],
        )
        rows = cursor.fetchall()
    return sorted(row[0] for row in rows if row[0] is not None), marks_of(
        row[1:] for row in rows if row[0] is None
    )


def _messages(visibility: Visibility, groups: Sequence[Group]) -> dict[str, str]:
    examples = visibility.limit(Task.objects.filter(pk__in=[group.example_id for group in groups]))
    # It may have run again since, and failed otherwise or not at all.
    texts = examples.order_by().values_list("fingerprint", "exception")
    return {key: text or "" for key, text in texts if key}


def _bars(edges: Sequence[datetime], counts: Counts) -> list[int]:
    bars = [0] * (len(edges) - 1)
    for moment, count in counts:
        if moment >= edges[0]:
            bars[bisect_right(edges, moment) - 1] += count
    return bars


def _edges(period: str, end: datetime) -> list[datetime]:
    """Where bars begin and the last one ends: multiples of their width, but for both ends."""
    start, width = end - PERIODS[period], BARS[period][0]
    edges, edge = [start], start_of(start, width) + timedelta(seconds=width)
    while edge < end:
        edges.append(edge)
        edge += timedelta(seconds=width)
    return [*edges, end]
