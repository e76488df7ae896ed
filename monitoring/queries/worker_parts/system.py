"""Process, memory, broker and versions of a worker, as ``stats``, ``memsample`` and ``report`` tell of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import typed

_VERSION = re.compile(r"(?P<name>[\w-]+):(?P<version>\S+)")
_MEMORY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKMGT]?)B?\Z")
_UNITS = {"": 1, "k": 1024, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


@dataclass(frozen=True)
class System:
    """None: not said. Times are in seconds of processor time, memory in bytes; of the worker's main process only.

    `most_memory` is the greatest resident size since it began, `memory` the present one (needs psutil in the worker),
    which is of another answer and may be more.
    `clock` is the logical clock. `rusage` has every other field of getrusage(2) by name, as it says it.
    """

    pid: int | None
    up_since: datetime | None
    clock: int | None
    user_time: float | None
    system_time: float | None
    most_memory: int | None
    memory: int | None
    rusage: dict[str, float]


@dataclass(frozen=True)
class Broker:
    """The broker connection, as the worker says it is; without passwords."""

    transport: str | None
    hostname: str | None
    port: int | None
    virtual_host: str | None
    user: str | None
    tls: bool
    heartbeat: float | None


@dataclass(frozen=True)
class Report:
    """``celery report``: `versions` by the names of packages; `text` is all of it, redacted."""

    versions: dict[str, str]
    text: str


def system(stats: Any, answered_at: datetime | None, memsample: Any = None) -> System:
    """What an answer to ``stats`` that came at `answered_at`, and one to ``memsample``, say."""
    stats = typed.record(stats)
    rusage = typed.record(stats.get("rusage"))
    figures = {name: number for name, value in rusage.items() if (number := typed.number(value)) is not None}
    most_memory = figures.pop("maxrss", None)
    return System(
        pid=typed.whole(stats.get("pid")),
        up_since=up_since(stats, answered_at),
        clock=typed.whole(stats.get("clock")),
        user_time=figures.pop("utime", None),
        system_time=figures.pop("stime", None),
        # In kilobytes, as Linux has it; macOS would say bytes.
        most_memory=None if most_memory is None else int(most_memory) * 1024,
        memory=memory(memsample),
        rusage=figures,
    )


def up_since(stats: Any, answered_at: datetime | None) -> datetime | None:
    """When the process began, to the second: how long it says that it is up, before `answered_at`."""
    uptime = typed.number(typed.record(stats).get("uptime"))
    if answered_at is None or uptime is None or uptime < 0:
        return None
    try:
        return answered_at - timedelta(seconds=uptime)
    except OverflowError:
        return None


def memory(memsample: Any) -> int | None:
    """Bytes of ``"54.23MB"``."""
    match = _MEMORY.match(memsample) if isinstance(memsample, str) and len(memsample) <= 32 else None
    return round(float(match["number"]) * _UNITS[match["unit"]]) if match else None


def broker(stats: Any) -> Broker:
    """The broker of a worker that answered `stats`."""
    described = typed.record(typed.record(stats).get("broker"))
    return Broker(
        transport=typed.text(described.get("transport")),
        hostname=typed.text(described.get("hostname")),
        port=typed.whole(described.get("port")),
        virtual_host=typed.text(described.get("virtual_host")),
        user=typed.text(described.get("userid")),
        tls=bool(described.get("ssl")),
        heartbeat=typed.number(described.get("heartbeat")),
    )


def report(content: Any) -> Report:
    """What an answer to ``report`` says; empty where it is none."""
    text = typed.record(content).get("ok")
    text = text.strip() if isinstance(text, str) else ""
    # The versions stand before the settings, which may say anything.
    head = text.partition("settings ->")[0]
    return Report({match["name"]: match["version"].rstrip(",") for match in _VERSION.finditer(head)}, text)
