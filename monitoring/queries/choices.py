"""What there is to choose from in filters. Never a SELECT DISTINCT over all tasks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections

from ..models import Task, Worker
from .visibility import Visibility

#: Most values that one filter offers; any other can be typed.
MAX_CHOICES = 500
#: Newest tasks that are looked through for queues, which have no index.
RECENT_TASKS = 5_000
#: Most names that a pattern is compared with one by one, before the database looks for it.
_MOST_COMPARED = 1_000
#: Newest tasks whose values a limited user is offered: the others' would tell of tasks that may not be seen.
_NEWEST_SEEN = 2_000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Choices:
    """Each in its order, at most MAX_CHOICES. `every_name`: of all tasks, also of those that may not be seen; None
    where they are more than can be compared one by one."""

    names: list[str]
    hosts: list[str]
    queues: list[str]
    every_name: list[str] | None


def choices(visibility: Visibility, workers: Iterable[Worker]) -> Choices:
    """Names of tasks, host names of the `workers` that were heard of last, and the queues that they consume or that the
    newest tasks were sent to.

    A limited user is offered names and queues of the newest tasks that they may see: a pattern of queues says nothing
    of a name, and the other way round.

    Cost: one question, see :func:`distinct_values`, and the newest RECENT_TASKS tasks by the index of the list.
    """
    sql, params = _distinct_sql("name", 10 * MAX_CHOICES)
    parts = [f"SELECT 'every name', value FROM ({sql}) names"]  # noqa: S608
    newest = visibility.limit(Task.objects.all()).order_by("-first_seen", "-task_id")
    for column in ("queue",) if visibility.is_everything else ("name", "queue"):
        with suppress(EmptyResultSet):
            recent = newest.values(column)[:RECENT_TASKS]
            sql, more = recent.query.get_compiler(using=Task.objects.db).as_sql()
            parts.append(f"SELECT DISTINCT '{column}', {column} FROM ({sql}) recent_{column}")  # noqa: S608
            params += more
    with connections[Task.objects.db].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        rows = cursor.fetchall()
    every_name = sorted(value for kind, value in rows if kind == "every name")
    seen = sorted(value for kind, value in rows if kind == "name" and value)
    queues = {value for kind, value in rows if kind == "queue"}
    known = sorted(workers, key=lambda worker: worker.last_heartbeat or _NEVER, reverse=True)[:MAX_CHOICES]
    for worker in known:
        queues.update(queue for queue in worker.queues or () if isinstance(queue, str))
    return Choices(
        (every_name if visibility.is_everything else seen)[:MAX_CHOICES],
        sorted(worker.hostname for worker in known),
        sorted(queue for queue in queues if queue and visibility.allows_queue(queue))[:MAX_CHOICES],
        every_name if len(every_name) <= _MOST_COMPARED else None,
    )


def all_names() -> list[str] | None:
    """Every name that a task has, or None where they are more than can be compared one by one."""
    names = distinct_values("name", limit=_MOST_COMPARED + 1)
    return names if len(names) <= _MOST_COMPARED else None


def distinct_values(column: str, *, limit: int = MAX_CHOICES) -> list[str]:
    """The values of an indexed column of tasks in their order, not the empty one; column is not from outside.

    Cost: one step of the index on (column, first_seen) for each value, however many tasks it has (a "loose index scan",
    which neither PostgreSQL nor SQLite plans by itself).
    """
    sql, params = _distinct_sql(column, limit)
    with connections[Task.objects.db].cursor() as cursor:
        cursor.execute(sql, params)
        return [value for (value,) in cursor.fetchall()]


def seen_values(visibility: Visibility, column: str, *, limit: int = MAX_CHOICES) -> list[str]:
    """:func:`distinct_values` of the tasks that may be seen: for a limited user of the newest _NEWEST_SEEN of these.

    A pattern of queues says nothing of a name, so that values cannot be judged alone.
    """
    if visibility.is_everything:
        return distinct_values(column, limit=limit)
    newest = visibility.limit(Task.objects.all()).order_by("-first_seen", "-task_id")
    return sorted({value for value in newest.values_list(column, flat=True)[:_NEWEST_SEEN] if value})[:limit]


def _distinct_sql(column: str, limit: int) -> tuple[str, list[Any]]:
    table, field = Task._meta.db_table, connections[Task.objects.db].ops.quote_name(column)
    first = f"""SELECT min({field}) FROM "{table}" WHERE {field} > ''"""  # noqa: S608
    following = f"""SELECT min(t.{field}) FROM "{table}" t WHERE t.{field} > v.value"""  # noqa: S608
    return (
        f"WITH RECURSIVE v (value) AS ({first} UNION ALL SELECT ({following}) FROM v WHERE v.value IS NOT NULL) "  # noqa: S608
        "SELECT value FROM v WHERE value IS NOT NULL LIMIT %s"
    ), [limit]
