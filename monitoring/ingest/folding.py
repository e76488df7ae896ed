"""Fold events into rows by the table of merge rules, in memory. Pure: no Django, no database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from .registers import Rules

#: What a register holds: its key's two halves and the payload in the register's column order; None: never written.
Held = tuple[Any, ...] | None


class Fact(Protocol):
    """What the fold needs of an event."""

    @property
    def subject(self) -> str:
        """The key of the row that the event is about."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that merge rules know the event by."""

    @property
    def ts(self) -> int:
        """Microseconds since the epoch."""

    @property
    def tie(self) -> int: ...

    @property
    def values(self) -> dict[str, Any]:
        """The event's decoded fields, by the names that registers call their sources."""


class Row:
    """One row as the rules see it: the extremes and the registers, in the order of the rules."""

    __slots__ = ("extremes", "registers", "subject")

    def __init__(self, subject: str, extremes: list[Any], registers: list[Held]) -> None:
        self.subject = subject
        self.extremes = extremes
        self.registers = registers

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return (self.subject, self.extremes, self.registers) == (
            other.subject,
            other.extremes,
            other.registers,
        )

    __hash__ = None  # type: ignore[assignment]  # rows change while they are folded

    def __repr__(self) -> str:
        return f"Row({self.subject!r}, {self.extremes!r}, {self.registers!r})"


class _Plan(NamedTuple):
    """What an event of some kinds touches: extremes (index, largest, source) and registers (index, sources).

    A source is the name of one of the event's values; None: its time.
    """

    extremes: list[tuple[int, bool, str | None]]
    registers: list[tuple[int, tuple[str, ...]]]


class Fold:
    """The fold over one table's rules.

    Which rules an event touches depends on its kinds alone, so the indexes are looked up once for each combination.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._largest = [extreme.largest for extreme in rules.extremes]
        self._empty = [(None,) * len(register.columns) for register in rules.registers]
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def _plan(self, kinds: tuple[str, ...]) -> _Plan:
        plan = self._plans.get(kinds)
        if plan is None:
            plan = _Plan(
                [
                    (index, extreme.largest, None if extreme.source == "ts" else extreme.source)
                    for index, extreme in enumerate(self.rules.extremes)
                    if not extreme.kinds or not set(extreme.kinds).isdisjoint(kinds)
                ],
                [
                    (index, tuple(register.fields.values()))
                    for index, register in enumerate(self.rules.registers)
                    if not set(register.kinds).isdisjoint(kinds)
                ],
            )
            if len(self._plans) < 1_000:  # kinds come from outside: custom ones must not fill the memory
                self._plans[kinds] = plan
        return plan

    def fold(self, events: Iterable[Fact]) -> dict[str, Row]:
        """The rows of all `events`, by subject."""
        rows: dict[str, Row] = {}
        plans, extremes, registers = self._plans, len(self._largest), len(self._empty)
        for event in events:
            subject, ts = event.subject, event.ts
            row = rows.get(subject)
            if row is None:
                row = rows[subject] = Row(subject, [None] * extremes, [None] * registers)
            plan = plans.get(event.kinds) or self._plan(event.kinds)
            value_of = event.values.get
            held = row.extremes
            for index, largest, source in plan.extremes:
                value = ts if source is None else value_of(source)
                if value is None:
                    continue
                old = held[index]
                if old is None or (value > old if largest else value < old):
                    held[index] = value
            kept = row.registers
            for index, sources in plan.registers:
                before = kept[index]
                if before is None or before[0] < ts or (before[0] == ts and before[1] < event.tie):
                    kept[index] = (ts, event.tie, *map(value_of, sources))
        return rows

    def join(self, row: Row, other: Row) -> Row:
        """The least upper bound of two rows of one subject. Neither is changed."""
        extremes = [
            mine if theirs is None else theirs if mine is None else (max if largest else min)(mine, theirs)
            for largest, mine, theirs in zip(self._largest, row.extremes, other.extremes, strict=True)
        ]
        registers = [
            theirs if mine is None or (theirs is not None and theirs[:2] > mine[:2]) else mine
            for mine, theirs in zip(row.registers, other.registers, strict=True)
        ]
        return Row(row.subject, extremes, registers)

    def flatten(self, row: Row) -> tuple[Any, ...]:
        """The row's values in the order of ``rules.columns``."""
        flat: list[Any] = [row.subject, *row.extremes]
        for held, empty in zip(row.registers, self._empty, strict=True):
            flat.extend(empty if held is None else held)
        return tuple(flat)

    def unflatten(self, values: tuple[Any, ...]) -> Row:
        """The row that `values`, in the order of ``rules.columns``, came from."""
        position = 1 + len(self._largest)
        registers: list[Held] = []
        for empty in self._empty:
            held = values[position : position + len(empty)]
            registers.append(None if held[0] is None else tuple(held))
            position += len(empty)
        return Row(values[0], list(values[1 : 1 + len(self._largest)]), registers)
