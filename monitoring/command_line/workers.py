"""``manage.py monitoring workers``: who is there, and what they do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ..models import Worker
from ..queries.visibility import Visibility
from ..queries.workers import workers
from .output import json_text, moment
from .states import coloured
from .table import table

HEADER = ("STATE", "WORKER", "POOL", "SIZE", "ACTIVE", "PROCESSED", "FAILED", "LOAD", "QUEUES", "HEARTBEAT")
_NAMES = (
    "hostname", "online", "last_heartbeat", "started_at", "active", "processed", "failed", "load_average",
    "pool", "concurrency", "queues", "software", "pid", "inspected_at",
)  # fmt: skip


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--online", action="store_true", help="those that are online alone")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    found = [worker for worker in workers(Visibility.everything()) if worker.online or not options["online"]]
    if options["json"]:
        for worker in found:
            command.stdout.write(json_text({name: getattr(worker, name) for name in _NAMES}))
        return
    for line in table(HEADER, map(_cells, found), ("WORKER",), coloured(command)):
        command.stdout.write(line)


def _cells(worker: Worker) -> tuple[str, ...]:
    load = worker.load_average if isinstance(worker.load_average, list) else []
    return (
        "online" if worker.online else "offline",
        worker.hostname,
        worker.pool or "",
        _number(worker.concurrency),
        _number(worker.active),
        _number(worker.processed),
        _number(worker.failed),
        " ".join(f"{value:.2f}" for value in load if isinstance(value, int | float)),
        ", ".join(str(queue) for queue in worker.queues or ()),
        moment(worker.last_heartbeat),
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
