"""THE table of columns that the task list can be sorted by: those that an index keeps in order, both ways."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """`key` is its name in the URL (``sort=-runtime``), `column` that of the model. Rows without a value come last,
    both ways. `by_time`: among rows of one value the newest stand first (in the reverse order last), as the index has
    them; else rows of one value stand by their id.
    """

    key: str
    column: str
    nullable: bool = True
    by_time: bool = False


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("first_seen", "first_seen", nullable=False),
        Column("received", "received_at"),
        Column("finished", "finished_at"),
        Column("runtime", "runtime"),
        Column("name", "name", by_time=True),
        Column("worker", "worker", by_time=True),
        Column("queue", "queue", by_time=True),
    )
}


@dataclass(frozen=True)
class Sort:
    """A column and a way."""

    column: Column
    descending: bool

    @classmethod
    def parse(cls, text: str | None) -> Sort:
        """From ``sort=`` of a URL; the newest first where it is none."""
        column = COLUMNS.get((text or "").removeprefix("-"))
        return cls(column, (text or "").startswith("-")) if column is not None else NEWEST_FIRST

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.column.key}"

    @property
    def reversed(self) -> Sort:
        return Sort(self.column, not self.descending)

    @property
    def keys(self) -> tuple[tuple[str, bool], ...]:
        """Model columns with whether each descends, the last of them unique."""
        first = (self.column.column, self.descending)
        if self.column.by_time:
            return first, ("first_seen", not self.descending), ("task_id", not self.descending)
        return first, ("task_id", self.descending)


NEWEST_FIRST = Sort(COLUMNS["first_seen"], descending=True)
