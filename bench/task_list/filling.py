"""Tasks and events of two weeks, made by the database itself: what a task list has to find things among.

The shape is that of a shop: few names run most of the time and some hardly ever, a queue belongs to a name, most tasks
succeed, exceptions come in bursts, and only the newest tasks are still on their way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench.ingest import words

DAYS = 14
_CHUNK = 250_000

#: Beside the shop's own: names, workers and a queue that hardly any task has.
RARE_NAME = "shop.ledger.tasks.close_year"
RARE_QUEUE = "ledger"
RARE_WORKER = "celery@ledger.shop.internal"

_TASKS = """
INSERT INTO monitoring_task (
    task_id, state, worker, exception, exception_type, traceback, runtime, finished_at, attempt_started_at, wait,
    retries,
    first_seen, updated_at, sent_at, received_at, started_at,
    info_ts, info_tie, name, args, kwargs, root_id, parent_id, sent_ts, sent_tie, queue, exchange, routing_key, sent_by,
    received_ts, received_tie, received_worker, start_ts, start_tie, start_worker,
    success_ts, success_tie, success_worker, result, success_runtime,
    failure_ts, failure_tie, failure_worker, failure_exception, failure_exception_type, failure_traceback)
SELECT id, state, CASE WHEN seen THEN worker END,
    CASE WHEN failed THEN kind || '(''' || message || ' ' || n %% 977 || ''')' END, CASE WHEN failed THEN kind END,
    CASE WHEN failed THEN traceback END,
    CASE WHEN ended THEN runtime END,
    CASE WHEN ended AND state <> 'RETRY' THEN at + wait * second + runtime * second END,
    CASE WHEN started THEN at + wait * second END, CASE WHEN started AND state <> 'RETRY' THEN wait END,
    CASE WHEN u < 0.92 THEN 0 ELSE 1 + n %% 5 END,
    at, at + wait * second + runtime * second, at,
    CASE WHEN seen THEN at + wait / 2 * second END, CASE WHEN started THEN at + wait * second END,
    us, n, name, '(' || n || ', ''SO-' || n || ''', datetime.date(2026, 11, 22))',
    '{{''customer_id'': ' || n %% 99991 || ', ''locale'': ''en'', ''tags'': [''spring'', ''vip'', ''export'']}}',
    CASE WHEN n %% 5 = 0 THEN md5((n - n %% 20)::text)::uuid::text ELSE id END,
    CASE WHEN n %% 20 <> 0 AND n %% 5 = 0 THEN md5((n - n %% 20)::text)::uuid::text END,
    us, n, queue, '', queue, %(client)s,
    us, n, worker, us, n, worker,
    CASE WHEN state = 'SUCCESS' THEN us END, CASE WHEN state = 'SUCCESS' THEN n END,
    CASE WHEN state = 'SUCCESS' THEN worker END,
    CASE WHEN state = 'SUCCESS' THEN '{{''status'': ''done'', ''reference'': ''' || md5(n::text) || '''}}' END,
    CASE WHEN state = 'SUCCESS' THEN runtime END,
    CASE WHEN failed THEN us END, CASE WHEN failed THEN n END, CASE WHEN failed THEN worker END,
    CASE WHEN failed THEN kind || '(''' || message || ' ' || n %% 977 || ''')' END, CASE WHEN failed THEN kind END,
    CASE WHEN failed THEN traceback END
FROM (
    SELECT *, interval '1 second' AS second,
        state IN ('FAILURE', 'RETRY') AS failed, state NOT IN ('PENDING', 'RECEIVED', 'STARTED', 'LOST') AS ended,
        state <> 'PENDING' AS seen, state NOT IN ('PENDING', 'RECEIVED') AS started,
        (extract(epoch FROM at) * 1000000)::bigint AS us
    FROM (
        SELECT n, u, md5(n::text)::uuid::text AS id,
            CASE WHEN n %% 40009 = 7 THEN '{RARE_NAME}' ELSE (%(names)s::text[])[1 + which] END AS name,
            CASE WHEN n %% 40009 = 7 THEN '{RARE_QUEUE}' ELSE (%(queues)s::text[])[1 + which %% 4] END AS queue,
            CASE WHEN n %% 40009 = 7 THEN '{RARE_WORKER}'
                ELSE (%(workers)s::text[])[1 + (n * 7 + n / 8) %% 8] END AS worker,
            CASE
                WHEN n < 400 THEN (ARRAY['PENDING', 'RECEIVED', 'STARTED'])[1 + n %% 3]
                WHEN u < 0.94 THEN 'SUCCESS' WHEN u < 0.98 THEN 'FAILURE' WHEN u < 0.99 THEN 'RETRY'
                WHEN u < 0.9975 THEN 'REVOKED' WHEN u < 0.9995 THEN 'REJECTED' ELSE 'LOST' END AS state,
            (ARRAY['ConnectionError', 'KeyError', 'IntegrityError', 'GatewayTimeout'])[1 + (n / 5000) %% 4] AS kind,
            (ARRAY['Max retries exceeded', 'shipping_address', 'duplicate key value', '504 Gateway Time-out'])
                [1 + (n / 5000) %% 4] AS message,
            repeat(E'  File "/srv/shop/orders/handle.py", line 12, in handle\\n    return self.send(order)\\n', 8)
                AS traceback,
            exp(random() * 9 - 5) AS runtime, exp(random() * 7 - 5) AS wait,
            now() - interval '1 second' - (n::float8 / %(tasks)s) * interval '{DAYS} days' AS at
        FROM (SELECT n, random() AS u, (20 * power(random(), 2.5))::int %% 20 AS which
              FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS numbers
    ) AS drawn
) AS made
"""
_EVENTS = """
INSERT INTO monitoring_taskevent (task_id, timestamp, type, tie, worker, clock, payload)
SELECT task_id, first_seen + step * interval '100 milliseconds',
    (ARRAY['task-sent', 'task-received', 'task-started', 'task-succeeded'])[1 + step], step, coalesce(worker, ''), step,
    '{{"pid": 4121, "retries": 0}}'
FROM monitoring_task, generate_series(0, {steps} - 1) AS step
"""


def fill(database_url: str, tasks: int, events: int = 0) -> float:
    """Fill the tables of an otherwise empty database; the seconds that took. `events`: all in all, spread evenly."""
    begun = time.monotonic()
    with psycopg.connect(database_url, autocommit=True) as connection:
        with _without_indexes(connection):
            # Oldest first, as a consumer would have written them.
            for first in reversed(range(0, tasks, _CHUNK)):
                connection.execute(
                    _TASKS.format(
                        RARE_NAME=RARE_NAME, RARE_QUEUE=RARE_QUEUE, RARE_WORKER=RARE_WORKER, DAYS=DAYS
                    ),
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
        if events:
            connection.execute(_EVENTS.format(steps=max(1, round(events / tasks))))
            connection.execute("VACUUM ANALYZE monitoring_taskevent")
        connection.execute("VACUUM ANALYZE monitoring_task")
        connection.execute("CHECKPOINT")
    return time.monotonic() - begun


@contextmanager
def _without_indexes(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[None]:
    """Indexes and the primary key are made afterwards: several times as fast as keeping them up."""
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
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    connection.execute(f'ALTER TABLE monitoring_task ADD CONSTRAINT "{key[0]}" {key[1]}')
    for _, definition in indexes:
        connection.execute(str(definition))
