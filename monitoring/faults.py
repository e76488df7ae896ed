"""What went wrong, in one line for a log."""

from __future__ import annotations

#: How PostgreSQL calls a table and a column that it does not know, and how SQLite says so.
UNKNOWN_CODES = {"42P01", "42703"}
UNKNOWN_WORDS = ("no such table", "no such column", "has no column named")
#: How PostgreSQL calls a prepared statement that it does not know, and how a consumer's tables of its session begin.
#: Both are lost where each transaction has another session.
UNKNOWN_STATEMENT = "26000"
STAGING_PREFIX = "monitoring_staged_"


def first_line(error: BaseException) -> str:
    """The kind of error and the first line of what it says, as in ``OperationalError: database is locked``.

    Of a table, column or prepared statement that the database does not know it adds what is nearly always the reason.
    """
    words = str(error).strip().partition("\n")[0]
    line = f"{type(error).__name__}: {words}" if words else type(error).__name__
    code = getattr(error.__cause__, "sqlstate", None)
    is_unknown = code in UNKNOWN_CODES
    if code == UNKNOWN_STATEMENT or (is_unknown and STAGING_PREFIX in words):
        return f"{line} (does a pooler stand between? The consumer needs `pool_mode = session` or none)"
    if is_unknown or any(unknown in words for unknown in UNKNOWN_WORDS):
        return f"{line} (has `manage.py migrate` been run?)"
    return line
