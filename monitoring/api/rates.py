"""Counting per minute, in Django's default cache: one process, where that is in memory; all, where it is shared."""

from __future__ import annotations

import hashlib
import time

from django.core.cache import cache

#: Seconds of one window. A new one starts with the minute.
WINDOW = 60


def hit(kind: str, key: str) -> int:
    """Count one more in this minute, and answer how many there are with it."""
    name = _name(kind, key)
    # Longer than the window: a window that is over is not asked for again.
    if cache.add(name, 1, 2 * WINDOW):
        return 1
    try:
        return int(cache.incr(name))
    except ValueError:  # thrown out of the cache since
        cache.set(name, 1, 2 * WINDOW)
        return 1


def count(kind: str, key: str) -> int:
    """How many there were in this minute."""
    return int(cache.get(_name(kind, key), 0))


def seconds_left() -> int:
    """Until the next minute's count starts at nothing."""
    return WINDOW - int(time.time()) % WINDOW


def _name(kind: str, key: str) -> str:
    # What a client sends may be no fit key of a cache.
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"monitoring:api:{kind}:{digest}:{int(time.time()) // WINDOW}"
