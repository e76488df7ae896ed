"""The index that text search can use: one GIN trigram index on one capped expression. PostgreSQL alone.

It costs about a fifth of the ingest rate, so it is there only where ``manage.py monitoring_search_index`` made it and
``MONITORING["SEARCH_INDEX"]`` says so.
"""

from __future__ import annotations

from django.db import connections

from ...conf import monitoring_settings
from ...models import Task

NAME = "monitoring_task_search"
#: Characters of each text that a search looks through, with the index or without. Celery cuts the repr of arguments and
#: results at 1,024 itself (docs of Celery, Task.argsrepr_maxsize, resultrepr_maxsize).
SEARCHED = 1_100
COLUMNS = ("name", "args", "kwargs", "result", "exception", "exception_type")
#: A trigram index finds nothing shorter.
SHORTEST = 3


def expression(table: str | None = None) -> str:
    """What is indexed; `table` is the quoted name or alias that its columns are of."""
    of = f"{table}." if table else ""
    texts = " || E'\\n' || ".join(f"""left(coalesce({of}"{column}", ''), {SEARCHED})""" for column in COLUMNS)
    return f'(({texts}) COLLATE "C")'


def create_statement() -> str:
    return (
        f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{NAME}" ON "{Task._meta.db_table}" '
        f"USING gin ({expression()} gin_trgm_ops)"
    )


def drop_statement() -> str:
    return f'DROP INDEX CONCURRENTLY IF EXISTS "{NAME}"'


def analyze_statement() -> str:
    """Without figures of the expression every search looks rare, or every one frequent."""
    return f'ANALYZE "{Task._meta.db_table}"'


def is_usable(using: str) -> bool:
    """Whether the index is there and complete: one that was interrupted is there, but not used. Cost: the catalogue."""
    if connections[using].vendor != "postgresql":
        return False
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT i.indisvalid AND i.indisready FROM pg_index i WHERE i.indexrelid = to_regclass(%s)",
            [f'"{NAME}"'],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def is_on(using: str) -> bool:
    """Whether searches count on the index: what the settings say. That it is really there is a system check's concern
    (monitoring.W002)."""
    return bool(monitoring_settings.SEARCH_INDEX) and connections[using].vendor == "postgresql"
