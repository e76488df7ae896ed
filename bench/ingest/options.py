"""The command line of `python -m bench.ingest`."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import servers
from bench.ingest.load import GROUP, SHAPES

PARTS = ("reading", "ours", "two", "flower")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest",
        description="Measure the consumer beside reading alone and beside Flower, on the same events.",
    )
    parser.add_argument("--only", action="append", choices=PARTS, help="run this part alone; may be repeated")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="this shape alone; may be repeated")
    parser.add_argument(
        "--group",
        action="append",
        type=int,
        metavar="N",
        help=f"events in a message (default: {GROUP} and 1)",
    )
    parser.add_argument(
        "--events", type=int, default=400_000, metavar="N", help="events of a burst (400,000)"
    )
    parser.add_argument(
        "--burst-rate",
        type=float,
        default=10_000,
        metavar="R",
        help="events/s of the run that a burst is of (10,000)",
    )
    parser.add_argument(
        "--rates",
        type=_numbers,
        default=(5_000.0, 10_000.0, 20_000.0),
        metavar="R,R",
        help="steady rates; empty: none",
    )
    parser.add_argument("--seconds", type=float, default=15, metavar="S", help="length of a steady load (15)")
    parser.add_argument("--no-burst", action="store_true", help="steady rates alone")
    parser.add_argument(
        "--preload",
        type=int,
        default=0,
        metavar="N",
        help="repeat ours with N tasks in the table, compared with none",
    )
    parser.add_argument("--sqlite", action="store_true", help="measure ours on SQLite too")
    parser.add_argument(
        "--waiting",
        type=int,
        default=0,
        metavar="N",
        help="peak memory of the consumer with N events in the queue",
    )
    parser.add_argument(
        "--flower-seconds", type=float, default=20, metavar="S", help="length of a trial (20)"
    )
    parser.add_argument("--flower-trials", type=int, default=7, metavar="N", help="trials of the search (7)")
    parser.add_argument(
        "--consumer-options", default="", metavar="TEXT", help="options of run_event_consumer"
    )
    parser.add_argument("--rabbitmq", default=servers.RABBITMQ_URL, metavar="URL")
    parser.add_argument("--postgres", default=servers.POSTGRES_URL, metavar="URL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there in Markdown")
    options = parser.parse_args(arguments)
    options.only = options.only or list(PARTS)
    options.shape = options.shape or list(SHAPES)
    options.group = options.group or [GROUP, 1]
    return options


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(",") if number)
