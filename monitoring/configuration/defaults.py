"""Values beside the defaults of the Celery that is installed here, and beside each other. Pure."""

from __future__ import annotations

import ast
import math
import re
from datetime import timedelta
from typing import Any

from celery.app import defaults

from .masking import is_hidden

#: Settings that Celery's documentation has no entry for (Celery 5.7, docs/userguide/configuration.rst).
_UNDOCUMENTED = frozenset({
    "beat_enable_remote_control", "beat_remote_control_max_tick_age", "broker_channel_error_retry", "broker_host",
    "broker_password", "broker_port", "broker_transport", "broker_user", "broker_vhost", "cassandra_bundle_path",
    "database_url", "gcs_ttl", "redis_db", "redis_host", "redis_password", "redis_port", "redis_username",
    "result_chord_expires", "result_exchange", "result_exchange_type", "result_failure_expires", "task_repr_maxlevels",
    "task_retry_on_worker_lost", "worker_agent", "worker_log_datefmt", "worker_pool_putlocks",
    "worker_pool_start_method", "worker_task_log_datefmt",
})  # fmt: skip
_DOCS = "https://docs.celeryq.dev/en/stable/userguide/configuration.html"
#: What a worker says of these where they are not set: Celery writes None as the address of the default broker.
_ADDRESSES_OF_NOTHING = ("broker_read_url", "broker_write_url")
_NOTHING = "amqp://guest:[redacted]@localhost:5672//"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TIMEDELTA = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.(\d+))?\Z")


def docs_url(name: str) -> str:
    """Where Celery's documentation tells of a setting; the page itself where it has no entry."""
    if name not in defaults.DEFAULTS:
        return ""
    return _DOCS if name in _UNDOCUMENTED else f"{_DOCS}#std-setting-{name}"


def default_of(name: str) -> tuple[bool, Any]:
    """Whether the installed Celery knows the setting, and its default as workers would write it in JSON."""
    value = defaults.DEFAULTS.get(name)
    return name in defaults.DEFAULTS, _as_json(value)


def is_default(name: str, value: Any) -> bool:
    """Whether a value, JSON, is the default. A value of which nothing is shown never is."""
    if is_hidden(value) or name not in defaults.DEFAULTS:
        return False
    default: Any = defaults.DEFAULTS[name]
    if name in _ADDRESSES_OF_NOTHING and value == _NOTHING:
        return True
    if isinstance(default, timedelta):
        return seconds_of(value) == default.total_seconds()
    return same(value, _as_json(default))


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: tuples are lists in JSON, a set has no order, an object has an address."""
    return bool(normal(one) == normal(other))


def normal(value: Any) -> Any:
    """A value as it can be compared with another."""
    if isinstance(value, bool) or value is None:
        return str(value)  # True is no 1
    if isinstance(value, str):
        return _normal_text(value)
    if isinstance(value, dict):
        return {str(name): normal(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return sorted((normal(item) for item in value), key=repr)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number, so it is stored as a text
    return value


def _normal_text(text: str) -> Any:
    if text.startswith(("{", "frozenset(")) and len(text) < 2_000:
        try:
            found = ast.literal_eval(
                text.removeprefix("frozenset(").removesuffix(")") if text[0] == "f" else text
            )
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            found = None
        if isinstance(found, set):
            return normal(found)
    return _ADDRESS.sub("", text)


def seconds_of(value: Any) -> float | None:
    """Of a duration as settings have it: a number, or the text of a timedelta."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _TIMEDELTA.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _as_json(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    return str(value) if isinstance(value, timedelta) else value
