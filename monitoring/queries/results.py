"""The full result of a task, from the watched app's result backend: JSON only, never unpickled, redacted like events.

Celery's own way to a result decodes whatever the backend holds, pickles too where ``result_accept_content`` allows
them, and of SQLAlchemy's and Django's cache backends even the driver unpickles. So only backends are read of which the
raw text can be had: Redis (celery/backends/redis.py, ``get_key_for_task``), files, and django-celery-results' table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import celery
from celery.exceptions import ImproperlyConfigured
from django.apps import apps
from django.db import connections, transaction
from django.db.models.functions import Length, Substr

from ..ingest.redaction_settings import configured_redactor
from ..models import Task

#: Longest result that is read, in bytes (characters in a table).
MAX_SIZE = 1_000_000
#: The same for programs that ask for the result itself. In memory it is usually some four times that.
MAX_SIZE_OF_ENTRIES = 10_000_000
#: Seconds to wait for the backend.
TIMEOUT = 2.0


class Why(StrEnum):
    """Why there is no result to show."""

    DISABLED = "disabled"  # the app has no result backend
    KIND = "kind"  # a backend that cannot be read without decoding what it holds
    SERIALIZER = "serializer"  # the app stores something else than JSON
    MISSING = "missing"  # never stored, expired, or ignored
    TOO_LONG = "too long"
    NOT_JSON = "not JSON"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Stored:
    """`json` over several lines, redacted, of `size`; or `why` there is none, with the `detail` of that."""

    json: str = ""
    size: int = 0
    why: Why | None = None
    detail: str = ""
    backend: str = ""


class NotRead(Exception):
    """Carries why and its detail."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


def stored_result(app: celery.Celery, task: Task) -> Stored:
    """What the result backend of `app` holds for a task that the caller may read with its payload.

    Cost: one read of the backend, at most TIMEOUT seconds each to connect and to answer, and MAX_SIZE.
    """
    kind = ""
    try:
        backend: Any = app.backend
        kind = type(backend).__name__
        raw, is_whole_entry = _reader_of(backend)(backend, task.task_id, MAX_SIZE)
        value = json.loads(raw)
        if is_whole_entry:
            value = _result_in(value)
    except NotRead as reason:
        return Stored(why=reason.why, detail=reason.detail, backend=kind)
    except (ValueError, RecursionError):
        return Stored(why=Why.NOT_JSON, backend=kind)
    except Exception as error:  # whatever its driver raises, or that it is not installed here
        return Stored(why=Why.UNREACHABLE, detail=type(error).__name__, backend=kind)
    text = json.dumps(configured_redactor().value(value), indent=2, ensure_ascii=False)
    return Stored(text, len(raw), backend=kind)


@dataclass(frozen=True)
class Entry:
    """What a backend holds of a task: Celery's state, the redacted result as JSON has it (of a failure: its exception
    as Celery stores it), and the redacted traceback."""

    state: str
    value: Any
    traceback: str | None = None


def stored_entry(app: celery.Celery, task_id: str, *, quietly: bool = False) -> Entry | None:
    """What the result backend of `app` holds for a task, known or not; None where nothing, or nothing that can be read.

    Cost: as of :func:`stored_result`, but MAX_SIZE_OF_ENTRIES. Raises NotRead(TOO_LONG), and NotRead(UNREACHABLE)
    unless `quietly`.
    """
    try:
        backend: Any = app.backend
        raw, is_whole_entry = _reader_of(backend)(backend, task_id, MAX_SIZE_OF_ENTRIES)
        value = json.loads(raw)
        entry = value if is_whole_entry else {**_state_in_table(task_id), "result": value}
    except NotRead as reason:
        if reason.why is Why.TOO_LONG:
            raise
        return None
    except (ValueError, RecursionError):
        return None
    except Exception as error:  # whatever its driver raises, or that it is not installed here
        if quietly:
            return None
        raise NotRead(Why.UNREACHABLE, type(error).__name__) from error
    redactor = configured_redactor()
    match entry:
        case {"status": str() as state, "result": result}:
            traceback = entry.get("traceback")
            return Entry(
                state,
                redactor.value(result),
                redactor.text(traceback) if isinstance(traceback, str) else None,
            )
    return None


def has_backend(app: celery.Celery) -> bool:
    """Whether a result backend is configured, and its driver installed here. Asks nothing."""
    try:
        return "DisabledBackend" not in {kind.__name__ for kind in type(app.backend).__mro__}
    except (ImportError, ImproperlyConfigured):
        return False


def _state_in_table(task_id: str) -> dict[str, Any]:
    model = apps.get_model("django_celery_results", "TaskResult")
    found = model._default_manager.filter(task_id=task_id).values("status", "traceback").first()
    return dict(found or {})


def stored_arguments(app: celery.Celery, task: Task) -> tuple[list[Any], dict[str, Any]] | None:
    """Args and kwargs that the result backend keeps as values (``result_extended``); None where there are none.

    Nothing is redacted. django-celery-results keeps reprs, which are none. Cost: as of :func:`stored_result`.
    """
    try:
        backend: Any = app.backend
        raw, is_whole_entry = _reader_of(backend)(backend, task.task_id, MAX_SIZE)
        entry = json.loads(raw) if is_whole_entry else None
    except Exception:  # no reason to fail: other sources may know them
        return None
    match entry:
        case {"args": list() as args, "kwargs": dict() as kwargs}:
            return args, kwargs
    return None


#: Answers the raw text of at most so much, and whether it is the backend's whole entry, which holds the result, or the
#: result alone.
Reader = Callable[[Any, str, int], tuple[str | bytes, bool]]


def _reader_of(backend: Any) -> Reader:
    names = {cls.__name__: cls.__module__ for cls in type(backend).__mro__}
    if "DisabledBackend" in names:
        raise NotRead(Why.DISABLED)
    if names.get("DatabaseBackend", "").startswith("django_celery_results."):
        return _from_table
    if names.get("RedisBackend") == "celery.backends.redis":
        reader: Reader = _from_redis
    elif names.get("FilesystemBackend") == "celery.backends.filesystem":
        reader = _from_file
    else:
        raise NotRead(Why.KIND, type(backend).__name__)
    if backend.serializer != "json":
        raise NotRead(Why.SERIALIZER, str(backend.serializer))
    return reader


def _from_redis(backend: Any, task_id: str, most: int) -> tuple[bytes, bool]:
    # Where a RedisBackend could be made, the client is installed.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    parameters = {name: given for name, given in backend.connparams.items() if name != "retry_on_timeout"}
    parameters |= {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
    client = backend._create_client(**parameters)
    try:
        key = backend.get_key_for_task(task_id)
        size = client.strlen(key)
        if size > most:
            raise NotRead(Why.TOO_LONG, str(size))
        raw: bytes | None = client.get(key)
    finally:
        client.close()
        client.connection_pool.disconnect()
    if not raw:
        raise NotRead(Why.MISSING)
    return raw, True


def _from_file(backend: Any, task_id: str, most: int) -> tuple[bytes, bool]:
    # The same name that Celery gives the file; an id with a slash names none, and must not name another.
    name = backend.get_key_for_task(task_id).decode()
    path = Path(backend.path.decode() if isinstance(backend.path, bytes) else backend.path) / name
    if "/" in name or "\\" in name or "\0" in name or not path.is_file():
        raise NotRead(Why.MISSING)
    if path.stat().st_size > most:
        raise NotRead(Why.TOO_LONG, str(path.stat().st_size))
    return path.read_bytes(), True


def _from_table(backend: Any, task_id: str, most: int) -> tuple[str, bool]:
    model = apps.get_model("django_celery_results", "TaskResult")
    if "\0" in task_id:
        raise NotRead(Why.MISSING)
    rows = (
        model._default_manager.filter(task_id=task_id)
        .annotate(size=Length("result"), text=Substr("result", 1, most))
        .values("content_type", "content_encoding", "size", "text")
    )
    using = rows.db
    with transaction.atomic(using=using):
        if connections[using].vendor == "postgresql":
            with connections[using].cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [f"{TIMEOUT * 1000:.0f}ms"]
                )
        row: Any = rows.first()
    if row is None:
        raise NotRead(Why.MISSING)
    if row["content_type"] != "application/json" or row["content_encoding"].lower() not in ("utf-8", "utf8"):
        raise NotRead(Why.SERIALIZER, str(row["content_type"]))
    if row["size"] is None:
        raise NotRead(Why.MISSING)
    if row["size"] > most:
        raise NotRead(Why.TOO_LONG, str(row["size"]))
    return row["text"], False


def _result_in(entry: Any) -> Any:
    """The result in a backend's entry (celery/backends/base.py, ``_get_result_meta``)."""
    if not isinstance(entry, dict) or "result" not in entry:
        raise NotRead(Why.NOT_JSON)
    return entry["result"]
