"""``manage.py monitoring tasks``: the newest tasks that match."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ..models import Task
from ..queries.export import export_rows
from ..queries.reading import PATIENCE, Reading
from ..queries.selection import Selection
from ..queries.sorting import COLUMNS, NEWEST_FIRST, Sort
from ..queries.task_columns import TASK_COLUMNS
from ..queries.task_list import task_list
from ..queries.visibility import Visibility
from .asking import MISUSED, add_filters, asked
from .output import duration, json_text, moment
from .states import coloured
from .table import table

HEADER = ("STATE", "NAME", "ID", "WORKER", "QUEUE", "FIRST SEEN", "RUN TIME", "RETRIES", "EXCEPTION")
#: Tasks that are listed at most.
MOST = 10_000


def add_arguments(parser: CommandParser) -> None:
    add_filters(parser)
    parser.add_argument("--since", metavar="TIME", help="first seen since: 2h, 2026-11-29, 2026-11-29T14:00")
    parser.add_argument("--until", metavar="TIME", help="first seen until, likewise")
    parser.add_argument(
        "--sort", default="", metavar="COLUMN", help=f"{', '.join(COLUMNS)}; -runtime: the longest first"
    )
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many at most (50)")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    limit = options["limit"]
    if not 1 <= limit <= MOST:
        raise CommandError(f"--limit is a number from 1 to {MOST:,}", returncode=MISUSED)
    if options["sort"].removeprefix("-") not in ("", *COLUMNS):
        raise CommandError(f"--sort is one of {', '.join(COLUMNS)}", returncode=MISUSED)
    sort = Sort.parse(options["sort"]) if options["sort"] else NEWEST_FIRST
    question = asked(options)
    with Reading(patience=len(PATIENCE) - 1) as reading:
        found = task_list(question, sort, None, reading, limit)
    rows = list(found.rows)
    if options["json"]:
        _write_json(command, rows, question.now)
    else:
        for line in table(HEADER, map(cells, rows), ("ID", "WORKER"), coloured(command)):
            command.stdout.write(line)
    if found.after is not None:
        command.stderr.write(f"These are the first {len(rows):,}: there are more (--limit).")
    if found.looked_back_to is not None:
        command.stderr.write(
            f"There was not time for all: tasks before {moment(found.looked_back_to)} were not looked at."
        )


def cells(task: Task) -> tuple[str, ...]:
    """One row."""
    return (
        task.state,
        task.name or "",
        task.task_id,
        task.worker or "",
        task.queue or "",
        moment(task.first_seen),
        duration(task.runtime),
        str(task.retries or 0),
        task.exception_type or "",
    )


def _write_json(command: BaseCommand, rows: list[Task], now: datetime) -> None:
    names = list(TASK_COLUMNS)
    selection = Selection(now, tuple(task.task_id for task in rows))
    for part in export_rows(selection, Visibility.everything(), names, with_payload=True):
        for row in part:
            command.stdout.write(json_text(dict(zip(names, row, strict=True))))
