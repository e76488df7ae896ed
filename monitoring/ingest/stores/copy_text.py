"""PostgreSQL's COPY text format (docs: "COPY", section Text Format), written without a call per value. Pure.

A task row has some seventy columns, most of them NULL: handing each of them to the driver costs several times as much
as joining the few that are set. Hardly any text needs an escape, so a line is looked through once, as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from monitoring.ingest.events import Event
from monitoring.ingest.folding import Row
from monitoring.ingest.registers import Rules

#: Stands for NULL, as COPY has to be told: a control character hardly ever stands in a text, other than ``\N``.
NULL = "\x01"
#: How a COPY statement for these lines ends.
FROM_STDIN = "FROM STDIN WITH (NULL E'\\x01')"

#: What means something to COPY; the backslash comes first, since the others are escaped by it.
_ESCAPES = {"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r", NULL: r"\x01"}
#: Patterns (one for each set of registers that rows have) and seconds that are remembered.
_REMEMBERED = 1_000


def line(values: Sequence[Any]) -> str:
    """A line with its newline, of None, numbers, booleans, lists of numbers (as JSON) and texts."""
    text = "\t".join([NULL if value is None else str(value) for value in values]) + "\n"
    if (
        "\\" not in text
        and "\r" not in text
        and text.count("\t") == len(values) - 1
        and text.find("\n") == len(text) - 1  # ten times as fast as counting
        and text.count(NULL) == values.count(None)
    ):
        return text
    return "\t".join([NULL if value is None else _escaped(str(value)) for value in values]) + "\n"


def _escaped(text: str) -> str:
    for character, escape in _ESCAPES.items():
        if character in text:
            text = text.replace(character, escape)
    return text


class EventFormat:
    """Lines for the event log: task id, time, type, tie, worker, clock, payload."""

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def lines(self, events: Iterable[Event]) -> list[str]:
        """A line for each event, with its newline. One call for all: calls would take a third of the time."""
        seconds = self._seconds
        lines = []
        for event in events:
            second, rest = divmod(event.ts, 1_000_000)
            begin = seconds.get(second) or self._second(second)
            subject, kind, worker, clock, payload = (
                event.subject,
                event.type,
                event.worker,
                event.clock,
                event.payload,
            )
            text = f"{subject}\t{begin}.{rest:06d}+00\t{kind}\t{event.tie}\t{worker}\t{clock}\t{payload}\n"
            # The payload is JSON, in which what COPY would misread has a backslash already.
            if (
                "\\" in text
                or clock is None
                or not (subject.isprintable() and kind.isprintable() and worker.isprintable())
            ):
                text = line((subject, f"{begin}.{rest:06d}+00", kind, event.tie, worker, clock, payload))
            lines.append(text)
        return lines

    def _second(self, second: int) -> str:
        """A time as PostgreSQL reads it. Events of one second share its text, which takes longest to make."""
        if len(self._seconds) >= _REMEMBERED:
            self._seconds.clear()
        text = self._seconds[second] = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S}"
        return text


class RowFormat:
    """Lines for rows of one set of rules: the rules' columns in their order, then the derived ones."""

    def __init__(self, rules: Rules, derived: int) -> None:
        self._extremes = len(rules.extremes)
        self._derived = derived
        self._widths = [len(register.columns) for register in rules.registers]
        self._tabs = self._extremes + sum(self._widths) + derived
        self._patterns: dict[tuple[bool, ...], tuple[str, int]] = {}

    def line(self, row: Row, derived: tuple[Any, ...]) -> str:
        """One line with its newline. Times stay microseconds; the merge statement turns them into timestamps."""
        registers = row.registers
        values: list[Any] = [row.subject, *row.extremes]
        for held in registers:
            if held is not None:
                values += held
        values += derived
        pattern, nulls = self._pattern(tuple([held is None for held in registers]))
        text = pattern % tuple([NULL if value is None else value for value in values])
        if (
            "\\" not in text
            and "\r" not in text
            and text.count("\t") == self._tabs
            and text.find("\n") == len(text) - 1  # ten times as fast as counting
            and text.count(NULL) == nulls + values.count(None)
        ):
            return text
        return pattern % tuple(
            [NULL if v is None else _escaped(v) if isinstance(v, str) else v for v in values]
        )

    def _pattern(self, absent: tuple[bool, ...]) -> tuple[str, int]:
        """The line with ``%s`` for each value of a row whose registers are `absent`, and how many NULLs it has."""
        found = self._patterns.get(absent)
        if found is None:
            cells = ["%s"] * (1 + self._extremes)
            for is_absent, width in zip(absent, self._widths, strict=True):
                cells += [NULL if is_absent else "%s"] * width
            cells += ["%s"] * self._derived
            found = ("\t".join(cells) + "\n", cells.count(NULL))
            if len(self._patterns) < _REMEMBERED:
                self._patterns[absent] = found
        return found
