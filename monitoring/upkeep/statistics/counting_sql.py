"""The statements by which PostgreSQL counts minutes itself. Pure.

Of each task that ended one scan feeds all groups (GROUPING SETS): by name and queue, and by worker, each with the
outcome, the bucket of the run time, and that of the wait; and by what failed how and where.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitoring.log_histogram import BOUNDS, LONGEST
from monitoring.models import StatisticDeletion, Task, TaskEvent
from monitoring.models.task import State

_TASKS, _EVENTS = Task._meta.db_table, TaskEvent._meta.db_table
_DELETIONS = StatisticDeletion._meta.db_table
#: Microseconds of a duration in seconds.
_MICROSECONDS = f"sum(round(least(greatest({{0}}, 0), {LONGEST}) * 1000000)::bigint)"
_OUTCOMES = ", ".join(
    f"'{state}'" for state in (State.SUCCESS, State.FAILURE, State.REVOKED, State.REJECTED, State.LOST)
)

#: Rows of: what the group is by, minute, name, queue, worker, outcome or exception type, bucket, count, microseconds,
#: and of failures the fingerprint, the first and the last.
ENDED = f"""
WITH ended AS (
  SELECT date_trunc('minute', finished_at) AS minute, state AS outcome, name, queue, worker, exception_type,
    runtime, wait, fingerprint, finished_at AS at
  FROM {_TASKS} AS t
  WHERE finished_at >= %(begin)s AND finished_at < %(end)s AND state IN ({_OUTCOMES}) AND NOT EXISTS (
    SELECT FROM {_DELETIONS} AS d
    WHERE d.task_id = t.task_id AND d.at = t.finished_at AND d.outcome <> '{State.RETRY}')
  UNION ALL
  SELECT date_trunc('minute', at), outcome, name, queue, worker, exception_type, runtime, wait,
    fingerprint, at
  FROM {_DELETIONS} WHERE at >= %(begin)s AND at < %(end)s AND outcome <> '{State.RETRY}'),
grouped AS (
  SELECT grouping(name) AS by_worker, grouping(outcome) AS no_outcome, grouping(r) AS no_r, grouping(w) AS no_w,
    minute, name, queue, worker, outcome, r, w, exception, count(*) AS count,
    {_MICROSECONDS.format("runtime")} AS runtime_sum, {_MICROSECONDS.format("wait")} AS wait_sum,
    alike, min(at) AS first, max(at) AS last
  FROM (SELECT *, width_bucket(runtime, %(bounds)s::float8[]) AS r, width_bucket(wait, %(bounds)s::float8[]) AS w,
    CASE WHEN outcome = '{State.FAILURE}' THEN coalesce(exception_type, '') END AS exception,
    CASE WHEN outcome = '{State.FAILURE}' THEN coalesce(fingerprint, '') END AS alike FROM ended) AS e
  GROUP BY GROUPING SETS ((minute, name, queue, outcome), (minute, worker, outcome), (minute, name, queue, r),
    (minute, worker, r), (minute, name, queue, w), (minute, worker, w),
    (minute, name, queue, worker, exception, alike)))
SELECT CASE WHEN by_worker = 1 THEN 'worker ' ELSE 'task ' END
    || CASE WHEN no_outcome = 0 THEN 'outcome' WHEN no_r = 0 THEN 'runtime' WHEN no_w = 0 THEN 'wait'
       ELSE 'exception' END,
  minute, name, queue, worker, coalesce(outcome, exception) AS word, coalesce(r, w) AS bucket, count,
  CASE WHEN no_r = 0 THEN runtime_sum WHEN no_w = 0 THEN wait_sum END::bigint,
  alike, first, last
FROM grouped WHERE num_nonnulls(outcome, r, w, exception) > 0"""  # noqa: S608  # our own names

#: Rows of: minute, name, queue, worker, count.
RETRIED = f"""
SELECT minute, name, queue, worker, count(*) FROM (
  SELECT date_trunc('minute', e.timestamp) AS minute, t.name, t.queue, e.worker
  FROM {_EVENTS} AS e JOIN {_TASKS} AS t USING (task_id)
  WHERE e.type = 'task-retried' AND e.timestamp >= %(begin)s AND e.timestamp < %(end)s AND NOT EXISTS (
    SELECT FROM {_DELETIONS} AS d
    WHERE d.task_id = e.task_id AND d.at = e.timestamp AND d.outcome = '{State.RETRY}')
  UNION ALL
  SELECT date_trunc('minute', at), name, queue, worker
  FROM {_DELETIONS} WHERE at >= %(begin)s AND at < %(end)s AND outcome = '{State.RETRY}') AS retries
GROUP BY minute, name, queue, worker"""  # noqa: S608


def parameters(begin: datetime, end: datetime) -> dict[str, Any]:
    """The parameters of both statements, for the minutes from `begin` to `end`."""
    return {"begin": begin, "end": end, "bounds": list(BOUNDS)}
