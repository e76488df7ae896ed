"""The figures of a run as a table in plain text, each with its ratio to what it is compared with."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.ingest.flower import Heard
from bench.ingest.ours import Run
from bench.ingest.reading import Reading

_MEGABYTE = 1_000_000


@dataclass
class Line:
    """One measurement: `load` and `what` name it; figures that it does not have stay None."""

    load: str
    what: str
    offered: float | None = None
    rate: float | None = None
    ratio: float | None = None
    flower_ratio: float | None = None
    lost: int | None = None
    wrong: list[str] = field(default_factory=list)
    lag_p50: float | None = None
    lag_p99: float | None = None
    memory: int | None = None
    cpu: float | None = None
    database_cpu: float | None = None
    events: int = 0
    notes: list[str] = field(default_factory=list)


_COLUMNS = (
    ("offered/s", 9), ("events/s", 9), ("/reading", 8), ("/Flower", 8), ("lost", 9), ("lag p50", 8), ("p99 s", 7),
    ("MB", 5), ("us/event", 8), ("db us", 6),
)  # fmt: skip


class Report:
    """Gathers lines, prints each as it comes, and the whole at the end."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.lines: list[Line] = []
        self._options = options
        self._reading: dict[str, float] = {}
        self._flower: dict[str, float] = {}

    def reading(self, load: str, run: Reading) -> None:
        self._reading[load] = run.rate
        self._add(
            Line(
                load,
                "reading alone",
                rate=run.rate,
                ratio=1.0,
                memory=run.memory,
                cpu=run.cpu,
                events=run.events,
            )
        )

    def ours(self, load: str, what: str, run: Run, *, compare: bool = True) -> None:
        """`load` names what it is compared with; a run at a fixed rate is compared with nothing."""
        reading, flower = self._reading.get(load), self._flower.get(load)
        self._add(
            Line(
                load,
                what,
                offered=run.offered,
                rate=run.rate,
                ratio=run.rate / reading if compare and reading else None,
                flower_ratio=run.rate / flower if compare and flower else None,
                lost=run.published - run.stored.events,
                wrong=run.wrong,
                lag_p50=run.lag_p50 if run.offered else None,
                lag_p99=run.lag_p99 if run.offered else None,
                memory=run.memory,
                cpu=run.cpu,
                database_cpu=run.database_cpu,
                events=run.cpu_events,
                notes=run.notes,
            )
        )

    def flower(self, load: str, what: str, heard: Heard) -> None:
        self._add(
            Line(
                load,
                what,
                offered=heard.rate,
                lost=heard.lost,
                memory=heard.memory,
                events=heard.published,
            )
        )

    def flower_lossless(self, load: str, rate: float, memory: int) -> None:
        self._flower[load] = rate
        reading = self._reading.get(load)
        self._add(
            Line(
                load,
                "Flower, highest without loss",
                rate=rate,
                ratio=rate / reading if reading else None,
                flower_ratio=1.0,
                memory=memory,
            )
        )

    @property
    def is_right(self) -> bool:
        """Whether every database held exactly what was published."""
        return not any(line.wrong for line in self.lines)

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        print(_written(line), flush=True)

    def print_all(self) -> None:
        print(f"\n{' ' * 58}{''.join(title.rjust(width + 1) for title, width in _COLUMNS)}")
        for line in self.lines:
            print(_written(line))
        print(
            "\nevents/s of a drained backlog, or as offered. /reading and /Flower: ratios to reading alone and to the"
            "\nhighest rate at which Flower lost nothing, of the same load. us/event: processor time of the consumer,"
            "\nand of the database beside it. MB: peak resident memory of one process. Lag: event time to commit.\n"
            + (
                "Nothing was lost, nothing was stored twice."
                if self.is_right
                else "SOMETHING IS WRONG: see above."
            )
        )

    def save_markdown(self, path: Path) -> None:
        """The table as documentation takes it."""
        titles = ["load", "what", *(title for title, _ in _COLUMNS)]
        rows = [titles, ["---", "---", *["--:"] * len(_COLUMNS)]]
        rows += [[line.load, line.what, *_figures(line)] for line in self.lines]
        path.write_text("".join(f"| {' | '.join(row)} |\n" for row in rows))

    def save(self, path: Path) -> None:
        path.write_text(
            json.dumps(
                {
                    "at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "machine": platform.platform(),
                    "python": platform.python_version(),
                    "options": self._options,
                    "lines": [asdict(line) for line in self.lines],
                },
                indent=2,
                default=str,
            )
            + "\n"
        )


def _figures(line: Line) -> list[str]:
    per_event = line.cpu / line.events * 1e6 if line.cpu is not None and line.events else None
    database = (
        line.database_cpu / line.events * 1e6 if line.database_cpu is not None and line.events else None
    )
    return [
        _number(line.offered),
        _number(line.rate),
        _number(line.ratio, 2),
        _number(line.flower_ratio, 2),
        _number(line.lost),
        _number(line.lag_p50, 2),
        _number(line.lag_p99, 2),
        _number(line.memory / _MEGABYTE if line.memory is not None else None),
        _number(per_event, 1),
        _number(database, 1),
    ]


def _written(line: Line) -> str:
    text = f"{line.load:<26}{line.what:<32}"
    text += "".join(
        figure.rjust(width + 1) for figure, (_, width) in zip(_figures(line), _COLUMNS, strict=True)
    )
    for remark in (*(f"WRONG: {wrong}" for wrong in line.wrong), *line.notes):
        text += f"\n{'':<28}{remark}"
    return text


def _number(value: float | None, decimals: int = 0) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"
