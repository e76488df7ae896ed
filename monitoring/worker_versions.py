"""Which Celery a worker runs, from what it says of its software. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")


def celery_version(software: str | None) -> str:
    """``5.7.0`` of ``py-celery 5.7.0 Linux``; empty where there is none."""
    found = _VERSION.search(software or "")
    return found[0] if found else ""


def newest_version(software: Iterable[str | None]) -> str:
    """The greatest of their versions; empty where nobody says one."""
    return max((celery_version(one) for one in software), key=release, default="")


def release(version: str) -> tuple[int, ...]:
    """``(5, 7, 0)`` of ``5.7.0rc1``: what versions are compared by."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+-]", version, maxsplit=1)[0]))
