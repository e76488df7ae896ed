"""Tasks that are in the database already, made by the database itself: is the cost of an event flat?"""

from __future__ import annotations

import time

import psycopg

from bench.ingest import words

#: Finished tasks of the past days, spread evenly, with texts as long as the load's.
_INSERT = """
INSERT INTO monitoring_task (
    task_id, state, worker, runtime, finished_at, attempt_started_at, wait, retries,
    first_seen, updated_at, sent_at, received_at, started_at,
    info_ts, info_tie, name, args, kwargs, root_id, sent_ts, sent_tie, queue, exchange, routing_key, sent_by,
    received_ts, received_tie, received_worker, start_ts, start_tie, start_worker,
    success_ts, success_tie, success_worker, result, success_runtime)
SELECT id, 'SUCCESS', worker, 1.5, at + interval '2 s', at + interval '0.5 s', 0.5, 0,
    at, at + interval '2 s', at, at + interval '0.1 s', at + interval '0.5 s',
    us + 100000, n, name, '(' || n || ', ''SO-' || n || ''', datetime.date(2026, 11, 22))',
    '{{''customer_id'': ' || n || ', ''locale'': ''en'', ''items'': 12, ''tags'': [''spring'', ''vip'', ''export'']}}',
    id, us, n, queue, '', queue, %(client)s,
    us + 100000, n, worker, us + 500000, n, worker,
    us + 2000000, n, worker, '{{''status'': ''done'', ''rows'': ' || n || '}}', 1.5
FROM (
  SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS us FROM (
    SELECT n, md5(n::text)::uuid::text AS id,
        (%(names)s::text[])[1 + n %% 20] AS name,
        (%(queues)s::text[])[1 + n %% 4] AS queue,
        (%(workers)s::text[])[1 + n %% 8] AS worker,
        now() - interval '1 h' - (n::float8 / %(tasks)s::int) * interval '{days} days' AS at
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
  ) AS numbered
) AS made
"""
DAYS = 14
_CHUNK = 500_000


def preload(database_url: str, tasks: int) -> float:
    """Fill the task table of an otherwise empty database; the seconds that took.

    Indexes are made again afterwards, which is several times as fast as keeping them up.
    """
    begun = time.monotonic()
    with psycopg.connect(database_url, autocommit=True) as connection:
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'monitoring_task'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        key = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'monitoring_task'::regclass AND contype = 'p'"
        ).fetchone()
        assert key is not None
        connection.execute(f'ALTER TABLE monitoring_task DROP CONSTRAINT "{key[0]}"')
        for first in range(0, tasks, _CHUNK):
            connection.execute(
                _INSERT.format(days=DAYS),
                {
                    "names": [name for name, _ in words.TASKS],
                    "queues": list(words.QUEUES),
                    "workers": list(words.WORKERS),
                    "client": words.CLIENT,
                    "tasks": tasks,
                    "first": first,
                    "last": min(first + _CHUNK, tasks) - 1,
                },
            )
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(f'ALTER TABLE monitoring_task ADD CONSTRAINT "{key[0]}" {key[1]}')
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE monitoring_task")
        connection.execute("CHECKPOINT")
    return time.monotonic() - begun
