"""The fold of counts into totals as one statement of PostgreSQL, which takes it off the consumer's own process."""

from __future__ import annotations

from django.db import connections

from monitoring.models import EventDelta, EventTotal
from monitoring.upkeep.jobs.counts_folded import Folded

_KEY = "type, name, worker, queue, exception_type"


def _added(column: str) -> str:
    """The histograms of rows, added up for each total by their places in the list."""
    return f"""
  SELECT total, jsonb_agg(number ORDER BY place) AS {column} FROM (
    SELECT total, place, sum(number::bigint)::bigint AS number
    FROM numbered, jsonb_array_elements_text({column}) WITH ORDINALITY AS bucket (number, place)
    GROUP BY total, place) AS buckets
  GROUP BY total"""  # noqa: S608


def _joined(column: str) -> str:
    """The sum of the stored histogram and the new one, the shorter of which counts as zero where it ends."""
    return f"""CASE WHEN excluded.{column} IS NULL THEN t.{column} ELSE (
    SELECT jsonb_agg(number ORDER BY place) FROM (
      SELECT place, sum(number::bigint)::bigint AS number FROM (
        SELECT * FROM jsonb_array_elements_text(t.{column}) WITH ORDINALITY AS mine (number, place)
        UNION ALL
        SELECT * FROM jsonb_array_elements_text(excluded.{column}) WITH ORDINALITY AS theirs (number, place)
      ) AS every GROUP BY place) AS buckets) END"""  # noqa: S608


#: Rows are taken in the order of ids, totals written in that of keys: of two folders at once, one waits for the other.
_FOLD = f"""
WITH chunk AS (
  SELECT id FROM {EventDelta._meta.db_table} WHERE task_id IS NULL ORDER BY id LIMIT %s FOR UPDATE
), taken AS (
  DELETE FROM {EventDelta._meta.db_table} AS d USING chunk WHERE d.id = chunk.id RETURNING d.*
), numbered AS (
  SELECT *, dense_rank() OVER (ORDER BY {_KEY}) AS total FROM taken
), runtimes AS ({_added("runtime_buckets")}
), waits AS ({_added("wait_buckets")}
), sums AS (
  SELECT total, {_KEY}, sum(count)::bigint AS count, sum(runtime_sum) AS runtime_sum, sum(wait_sum) AS wait_sum,
    max(newest_ts) AS newest_ts, (array_agg(prefetch ORDER BY newest_ts DESC NULLS LAST, id DESC))[1] AS prefetch,
    min(created_at) AS created_at, max(created_at) AS updated_at
  FROM numbered GROUP BY total, {_KEY}
), folded AS (
  INSERT INTO {EventTotal._meta.db_table} AS t ({_KEY}, count, runtime_sum, runtime_buckets, wait_sum, wait_buckets,
    newest_ts, prefetch, created_at, updated_at)
  SELECT {_KEY}, count, runtime_sum, runtime_buckets, wait_sum, wait_buckets,
    newest_ts, prefetch, created_at, updated_at
  FROM sums LEFT JOIN runtimes USING (total) LEFT JOIN waits USING (total) ORDER BY {_KEY}
  ON CONFLICT ({_KEY}) DO UPDATE SET
    count = t.count + excluded.count,
    runtime_sum = t.runtime_sum + excluded.runtime_sum,
    runtime_buckets = {_joined("runtime_buckets")},
    wait_sum = t.wait_sum + excluded.wait_sum,
    wait_buckets = {_joined("wait_buckets")},
    newest_ts = greatest(t.newest_ts, excluded.newest_ts),
    prefetch = CASE WHEN excluded.newest_ts >= coalesce(t.newest_ts, excluded.newest_ts)
      THEN excluded.prefetch ELSE t.prefetch END,
    created_at = least(t.created_at, excluded.created_at),
    updated_at = greatest(t.updated_at, excluded.updated_at)
)
SELECT worker, date_trunc('minute', created_at), sum(count)::bigint, bool_or(type = 'task-failed'), count(*)
FROM taken GROUP BY 1, 2"""  # noqa: S608


def fold(using: str, most: int) -> Folded:
    """Add the first `most` rows that have a name to the totals and delete them. Must run in a transaction."""
    folded = Folded()
    with connections[using].cursor() as cursor:
        # By its estimate of a hundred items for each list, the planner would compile this for longer than it takes.
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(_FOLD, [most])
        for worker, minute, events, has_failed, rows in cursor.fetchall():
            folded.rows += rows
            folded.events[worker, minute] += events
            if has_failed:
                folded.failed.add(worker)
    return folded
