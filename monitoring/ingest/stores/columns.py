"""Between rows as the fold sees them and columns as the database does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models

from monitoring.ingest import states, worker_states
from monitoring.ingest.folding import Fold, Row
from monitoring.ingest.registers import TASK_RULES, WORKER_RULES, Rules
from monitoring.models import Task, Worker

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_datetime(microseconds: int) -> datetime:
    """The exact moment; floats would lose the last digits."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


class TableColumns:
    """One merged table: its model, its rules, and what is derived from them.

    `columns` are all columns that a store writes, the key first, then the rules' and then the derived ones.
    """

    def __init__(
        self,
        model: type[models.Model],
        rules: Rules,
        derived: tuple[str, ...],
        derive: Callable[[Row], tuple[Any, ...]],
    ) -> None:
        self.model = model
        self.fold = Fold(rules)
        self.rule_columns = rules.columns
        self.derived = derived
        self.columns = (*rules.columns, *derived)
        self._derive = derive
        is_time = [isinstance(model._meta.get_field(column), models.DateTimeField) for column in self.columns]
        self._times = [index for index, yes in enumerate(is_time) if yes]
        self._rule_times = [index for index in self._times if index < len(self.rule_columns)]

    def values(self, row: Row) -> list[Any]:
        """The values of `columns` for one row, times as aware datetimes."""
        values = [*self.fold.flatten(row), *self._derive(row)]
        for index in self._times:
            if values[index] is not None:
                values[index] = to_datetime(values[index])
        return values

    def row(self, values: tuple[Any, ...]) -> Row:
        """The row that the database's values of `rule_columns` stand for."""
        raw = list(values)
        for index in self._rule_times:
            if raw[index] is not None:
                raw[index] = to_microseconds(raw[index])
        return self.fold.unflatten(tuple(raw))


TASK_COLUMNS = TableColumns(Task, TASK_RULES, states.DERIVED_COLUMNS, states.derive)
WORKER_COLUMNS = TableColumns(Worker, WORKER_RULES, worker_states.DERIVED_COLUMNS, worker_states.derive)
