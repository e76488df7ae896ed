"""Questions with a limit of time: one transaction for all that a page asks, each statement stopped when it is too slow.

    with Reading() as reading:
        rows = reading.ask(lambda: list(queryset))      # raises OutOfTime

Statements of its own: one that begins and sets the limit, one that ends; nothing where nothing is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from django.db import Error, OperationalError, connections, transaction

from ..models import Task

T = TypeVar("T")
#: Seconds that one question may take for a reader who has not asked to wait longer.
LIMIT = 0.25
#: How much longer, by how often the reader has asked to go on looking.
PATIENCE = (1, 4, 16, 40)
#: Virtual machine instructions between two looks at the clock: SQLite.
_INSTRUCTIONS = 10_000
_QUERY_CANCELED = "57014"
#: What PostgreSQL is to think that reading a page costs, 1 and 4 by default: the newest tasks are in memory, and those
#: of one name, worker or queue lie in the order of time. Else it walks past all other tasks to find these, or reads
#: all that match in order to sort them.
PAGE_COST = 0.1
#: Enough to remember the rows that an index finds on some 300,000 pages. With the default of 4 MB many pages are
#: remembered as a whole, and where two indexes are combined all rows on these are looked at.
WORK_MEMORY = "16MB"


class OutOfTime(Exception):
    """A question was stopped at its limit; nothing of its answer is known."""


class Reading:
    """Reads from the database of the tasks. `patience`: how often the reader asked to wait longer, index of PATIENCE.

    On PostgreSQL all is read in one transaction, which a stopped statement ends; the next question begins another.
    Within a transaction of the caller it is a savepoint. It is rolled back at the end, which gives back the limit that
    was set before: nothing may be written, and no question may open a transaction itself. On SQLite, where a
    transaction would keep writers out, each question is watched by a progress handler instead.
    """

    def __init__(self, patience: int = 0) -> None:
        self.using = Task.objects.db
        self.limit = LIMIT * PATIENCE[max(0, min(patience, len(PATIENCE) - 1))]
        self._connection = connections[self.using]
        self._open: AbstractContextManager[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(kind, error, traceback)

    def limit_to(self, seconds: float) -> None:
        """From here on a question may take so long. Cost: one statement, where this differs and something was asked."""
        if seconds != self.limit:
            self.limit = seconds
            if self._open is not None:
                self._execute(self._settings())

    def ask(self, question: Callable[[], T]) -> T:
        """What `question` answers, which must have read everything by then. Raises OutOfTime."""
        if self._connection.vendor != "postgresql":
            return self._ask_sqlite(question)
        if self._open is None:
            self._begin()
        try:
            return question()
        except OperationalError as error:
            self._close(type(error), error, error.__traceback__)
            if getattr(error.__cause__, "sqlstate", None) == _QUERY_CANCELED:
                raise OutOfTime from error
            raise
        except BaseException as error:
            self._close(type(error), error, error.__traceback__)
            raise

    def _begin(self) -> None:
        if self._connection.in_atomic_block or not self._connection.get_autocommit():
            opened = transaction.atomic(using=self.using)
            opened.__enter__()
            self._open = opened
            self._execute(self._settings())
        else:
            # One round trip instead of two: every page that lists tasks waits for it.
            self._open = _RolledBack(self._execute)
            self._execute(f"BEGIN; {self._settings()}")

    def _settings(self) -> str:
        # Compiling a plan takes longer than any question of a page that is answered in time, and only one after the
        # other are the parts of a UNION read no further than is needed.
        return (
            f"SET LOCAL statement_timeout = {round(self.limit * 1000)}; SET LOCAL jit = off; "
            f"SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL seq_page_cost = {PAGE_COST}; "
            f"SET LOCAL random_page_cost = {PAGE_COST}; SET LOCAL work_mem = '{WORK_MEMORY}'"
        )

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def _close(self, *problem: Any) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        if problem == (None, None, None) and self._connection.in_atomic_block:
            # The limit holds for COMMIT too, which may wait for the disk. A rollback never does.
            transaction.set_rollback(True, using=self.using)
        opened.__exit__(*problem)

    def _ask_sqlite(self, question: Callable[[], T]) -> T:
        self._connection.ensure_connection()
        raw = self._connection.connection
        end = time.monotonic() + self.limit
        raw.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS)
        try:
            return question()
        except OperationalError as error:
            if "interrupted" in str(error):
                raise OutOfTime from error
            raise
        finally:
            raw.set_progress_handler(None, 0)


class _RolledBack(AbstractContextManager[None]):
    """A transaction that was begun by hand, and ends with a rollback whatever happened."""

    def __init__(self, execute: Callable[[str], None]) -> None:
        self._execute = execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._execute("ROLLBACK")
        except Error:
            # A connection that broke has rolled back by itself; who asked learns of it by the error of the question.
            if error is None:
                raise
