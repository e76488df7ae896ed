"""What a monitor's database holds, asked beside a running consumer and at little cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import psycopg

from bench.processes import used

#: SQL for both databases; {ids} is what stands for a list of task ids.
_FIND = "SELECT task_id, type FROM monitoring_taskevent WHERE task_id {ids}"
_COUNT = """
    SELECT (SELECT count(*) FROM monitoring_task),
           (SELECT count(*) FROM monitoring_taskevent),
           (SELECT count(*) FROM monitoring_task WHERE state = 'SUCCESS'),
           (SELECT count(*) FROM monitoring_task WHERE state = 'FAILURE'),
           coalesce((SELECT sum(count) FROM monitoring_eventdelta), 0)
         + coalesce((SELECT sum(count) FROM monitoring_eventtotal), 0),
           (SELECT count(*) FROM monitoring_deadletter)
"""


@dataclass
class Counts:
    """Rows; `counted`: the sum of all event counts."""

    tasks: int
    events: int
    succeeded: int
    failed: int
    counted: int
    dead_letters: int

    def __sub__(self, before: Counts) -> Counts:
        return Counts(
            *(mine - theirs for mine, theirs in zip(vars(self).values(), vars(before).values(), strict=True))
        )


class Contents(Protocol):
    """One connection to look through; each question sees what has been committed by then."""

    def find(self, task_ids: Iterable[str]) -> set[tuple[str, str]]:
        """(task id, type) of every stored event of these tasks. One look-up in the primary key for each."""

    def counts(self) -> Counts:
        """Exact, and as slow as counting is: for the end of a run."""

    def writer_cpu(self) -> float | None:
        """Seconds of processor time of the database's other processes on this database; None where it has none."""

    def close(self) -> None: ...


def open_contents(database_url: str) -> Contents:
    if database_url.startswith("sqlite:///"):
        return SQLiteContents(database_url.removeprefix("sqlite:///"))
    return PostgresContents(database_url)


class PostgresContents:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def find(self, task_ids: Iterable[str]) -> set[tuple[str, str]]:
        return set(self._connection.execute(_FIND.format(ids="= ANY(%s)"), [list(task_ids)]).fetchall())

    def counts(self) -> Counts:
        row = self._connection.execute(_COUNT).fetchone()
        assert row is not None
        return Counts(*map(int, row))

    def writer_cpu(self) -> float | None:
        rows = self._connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        try:
            return sum(used(pid).cpu for (pid,) in rows)
        except OSError:  # the server is not of this machine, or one of them has just ended
            return None

    def close(self) -> None:
        self._connection.close()


class SQLiteContents:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)

    def find(self, task_ids: Iterable[str]) -> set[tuple[str, str]]:
        ids = list(task_ids)
        marks = f"IN ({', '.join('?' * len(ids))})"
        return set(self._connection.execute(_FIND.format(ids=marks), ids).fetchall())

    def counts(self) -> Counts:
        return Counts(*self._connection.execute(_COUNT).fetchone())

    def writer_cpu(self) -> float | None:
        return None

    def close(self) -> None:
        self._connection.close()
