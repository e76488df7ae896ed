"""What beat is told to send: the rows of django-celery-beat, where it is installed, and ``beat_schedule``.

Where beat runs django-celery-beat's scheduler it takes ``beat_schedule`` over into rows of the same names when it
starts; from then on the row counts, so an entry that is in both is told once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import celery
from celery.beat import BeatLazyFunc
from celery.schedules import maybe_schedule
from django.apps import apps

#: Seconds within which a row is written after it was sent (``Scheduler.sync_every``), and how long beat's database
#: scheduler sleeps at most, unless ``beat_max_loop_interval`` says otherwise.
SYNC_EVERY, MAX_INTERVAL = 180.0, 5.0


class Source(StrEnum):
    """Where an entry stands."""

    DATABASE = "database"  # django-celery-beat
    SETTINGS = "settings"  # beat_schedule


@dataclass(frozen=True)
class Entry:
    """One schedule. `name` is unique. `times` is Celery's schedule, None where it cannot be had; `problem` says why.

    `last_run_at` is when beat last sent it, as far as django-celery-beat has written that down; `begun_at` when it was
    last written at all. `is_over`: it will never be sent again (expired, or sent the one time that it was for).
    `static`: it is in ``beat_schedule`` too, from where beat writes it anew whenever it starts.
    """

    name: str
    task: str
    source: Source
    times: Any
    problem: str = ""
    enabled: bool = True
    static: bool = False
    one_off: bool = False
    is_over: bool = False
    queue: str | None = None
    last_run_at: datetime | None = None
    begun_at: datetime | None = None
    start_time: datetime | None = None
    sent_count: int | None = None
    #: Its times as the row writes them, where there are no others.
    written: str = ""
    pk: int | None = None


@dataclass(frozen=True)
class Message:
    """What beat sends for an entry: arguments, and the options of `send_task`."""

    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)


class Unreadable(Exception):
    """The entries cannot be read; the text is the kind of error only."""


def beat_app() -> bool:
    """Whether django-celery-beat is installed."""
    return apps.is_installed("django_celery_beat")


def reads_database(app: celery.Celery) -> bool:
    """Whether beat, as the app is configured, sends the rows of django-celery-beat."""
    scheduler = str(app.conf.beat_scheduler or "")
    return scheduler == "django" or scheduler.startswith("django_celery_beat.")


def max_interval(app: celery.Celery) -> float:
    """Seconds after which beat looks at the rows again."""
    return float(app.conf.beat_max_loop_interval or MAX_INTERVAL)


def entries(app: celery.Celery, names: Sequence[str] | None = None) -> list[Entry]:
    """All of them by name, or those of some names. Raises Unreadable where the app's settings cannot be loaded.

    Cost: the table of django-celery-beat, with its four kinds of times, in one statement.
    """
    static = {name: told for name, told in _static(app).items() if names is None or name in names}
    found: dict[str, Entry] = {}
    if beat_app():
        found = {entry.name: entry for entry in _rows(names, frozenset(static))}
    for name, told in static.items():
        if name not in found:
            found[name] = _of_settings(app, name, told)
    return [found[name] for name in sorted(found)]


def rows_of(names: Iterable[str] | None = None) -> Any:
    """The rows of django-celery-beat, or those of some names, a queryset; only where it is installed."""
    rows = apps.get_model("django_celery_beat", "PeriodicTask")._default_manager.all()
    # PostgreSQL refuses to look for a NUL.
    return rows if names is None else rows.filter(name__in=[name for name in names if "\0" not in name])


def message_of(app: celery.Celery, entry: Entry) -> Message:
    """What beat would send for an entry. Raises Unreadable."""
    try:
        return _message_of_row(entry) if entry.source is Source.DATABASE else _message_of_settings(app, entry)
    except Exception as error:  # what somebody wrote there, which may be a secret
        raise Unreadable(type(error).__name__) from None


def _message_of_row(entry: Entry) -> Message:
    """As django-celery-beat's ``ModelEntry`` (schedulers.py); the header lets the run be told from others."""
    row = rows_of([entry.name]).get()
    named = {name: getattr(row, name) for name in ("queue", "exchange", "routing_key", "priority")}
    options = {name: value for name, value in named.items() if value not in (None, "")}
    # Past that time beat sends it no more, and a worker would drop it.
    if row.expires_ is not None and (row.expires is None or row.expires > datetime.now(UTC)):
        options["expires"] = row.expires_
    options["headers"] = {**(json.loads(row.headers or "{}") or {}), "periodic_task_name": row.name}
    return Message(
        row.task, list(json.loads(row.args or "[]")), dict(json.loads(row.kwargs or "{}")), options
    )


def _message_of_settings(app: celery.Celery, entry: Entry) -> Message:
    """Values that are made when they are sent are made now (celery/beat.py, ``BeatLazyFunc``)."""
    told = _static(app)[entry.name]
    return Message(
        entry.task,
        [_made(value) for value in told.get("args") or ()],
        {name: _made(value) for name, value in (told.get("kwargs") or {}).items()},
        dict(told.get("options") or {}),
    )


def _made(value: Any) -> Any:
    return value() if isinstance(value, BeatLazyFunc) else value


def _static(app: celery.Celery) -> Mapping[str, Any]:
    try:
        told: Any = app.conf.beat_schedule
        return {str(name): entry for name, entry in told.items()} if isinstance(told, Mapping) else {}
    except Exception as error:  # whatever a project's configuration does
        raise Unreadable(type(error).__name__) from None


def _rows(names: Sequence[str] | None, static: frozenset[str]) -> Iterable[Entry]:
    for row in rows_of(names).select_related("interval", "crontab", "solar", "clocked"):
        times, problem = _times(row)
        yield Entry(
            name=row.name,
            task=row.task,
            source=Source.DATABASE,
            times=times,
            problem=problem,
            enabled=row.enabled,
            static=row.name in static,
            one_off=row.one_off,
            is_over=(row.expires is not None and row.expires <= datetime.now(UTC))
            or (row.one_off and row.total_run_count > 0),
            queue=row.queue or None,
            last_run_at=row.last_run_at,
            begun_at=row.date_changed,
            start_time=row.start_time,
            sent_count=row.total_run_count,
            written="" if times is not None else str(row.scheduler or ""),
            pk=row.pk,
        )


def _times(row: Any) -> tuple[Any, str]:
    try:
        return row.schedule, ""
    except Exception as error:  # no kind of time, or one that needs a library that is not there (ephem)
        return None, f"{type(error).__name__}: {error}".strip().partition("\n")[0][:200]


def _of_settings(app: celery.Celery, name: str, told: Any) -> Entry:
    problem, task = "", ""
    times: Any = None
    options: dict[str, Any] = {}
    try:
        task = str(told["task"])
        options = dict(told.get("options") or {})
        times = maybe_schedule(told["schedule"], bool(told.get("relative")), app=app)
        if times is None:
            problem = "schedule is None"
    except Exception as error:  # what beat itself could not read either
        problem = type(error).__name__
    queue = options.get("queue")
    return Entry(
        name, task, Source.SETTINGS, times, problem, static=True, queue=str(queue) if queue else None
    )
