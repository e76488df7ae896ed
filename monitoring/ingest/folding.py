"""Fold events into rows by the table of merge rules, in memory. Pure: no Django, no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

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


#: Joins one event's time, tie and values into a row.
_Step = Callable[[Row, int, int, dict[str, Any]], None]


def _compiled(rules: Rules, kinds: tuple[str, ...]) -> _Step:
    """The rules that events of these kinds touch, written out and compiled: a loop over them takes half as long again.

    Every word of the text comes from the rules, none from an event.
    """
    lines = ["def step(row, ts, tie, values):", "  extremes, registers = row.extremes, row.registers"]
    for index, extreme in enumerate(rules.extremes):
        if extreme.kinds and set(extreme.kinds).isdisjoint(kinds):
            continue
        value = "ts" if extreme.source == "ts" else f"values.get({extreme.source!r})"
        lines += [
            f"  value, old = {value}, extremes[{index}]",
            f"  if value is not None and (old is None or value {'>' if extreme.largest else '<'} old):",
            f"    extremes[{index}] = value",
        ]
    for index, register in enumerate(rules.registers):
        if set(register.kinds).isdisjoint(kinds):
            continue
        payload = "".join([f", values.get({source!r})" for source in register.fields.values()])
        lines += [
            f"  old = registers[{index}]",
            "  if old is None or old[0] < ts or (old[0] == ts and old[1] < tie):",
            f"    registers[{index}] = (ts, tie{payload})",
        ]
    names: dict[str, _Step] = {}
    exec("\n".join(lines), {}, names)  # noqa: S102
    return names["step"]


class Fold:
    """The fold over one table's rules.

    Which rules an event touches depends on its kinds alone, so there is one step for each combination of them.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._largest = [extreme.largest for extreme in rules.extremes]
        self._empty = [(None,) * len(register.columns) for register in rules.registers]
        self._named = {kind for extreme in rules.extremes for kind in extreme.kinds}
        self._named |= {kind for register in rules.registers for kind in register.kinds}
        self._steps: dict[tuple[str, ...], _Step] = {}

    def _step(self, kinds: tuple[str, ...]) -> _Step:
        # Kinds come from outside. Those that no rule names have one step for all, and must not fill the memory.
        named = tuple([kind for kind in kinds if kind in self._named])
        step = self._steps.get(named) or self._steps.setdefault(named, _compiled(self.rules, named))
        if len(self._steps) < 1_000:
            self._steps[kinds] = step
        return step

    def fold(self, events: Iterable[Fact]) -> dict[str, Row]:
        """The rows of all `events`, by subject."""
        rows: dict[str, Row] = {}
        steps, extremes, registers = self._steps, len(self._largest), len(self._empty)
        for event in events:
            subject = event.subject
            row = rows.get(subject)
            if row is None:
                row = rows[subject] = Row(subject, [None] * extremes, [None] * registers)
            step = steps.get(event.kinds) or self._step(event.kinds)
            step(row, event.ts, event.tie, event.values)
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
