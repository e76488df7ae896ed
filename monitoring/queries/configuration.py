"""The settings that Celery really runs with: of the watched app in this process, and of each worker, side by side.

``configuration(visibility)`` is what the page and the API show. It holds no secret: workers' answers are masked before
they are stored and once more as they are read, the app's settings as they are read (``configuration/masking.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import celery
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..celery_app import watched_app
from ..configuration.advice import Advice, Evidence, Weight, advise
from ..configuration.defaults import default_of, docs_url, is_default, normal
from ..configuration.groups import group_of
from ..configuration.masking import is_hidden, is_masked, masked_settings
from ..configuration.reading import SettingsUnreadable, app_settings
from ..ingest.redaction_settings import configured_redactor
from ..models import Task, Worker, WorkerSnapshot
from .visibility import Visibility
from .worker_parts import typed
from .workers import workers

#: Settings that a worker adds to when it starts, so that it never has what the app has.
_FILLED_BY_WORKERS = frozenset({"include"})
#: How far back the evidence of an advice goes, beside the longest run of all that are stored.
LOST_WITHIN, SENT_WITHIN = timedelta(hours=24), timedelta(hours=1)


@dataclass(frozen=True)
class WorkerSettings:
    """A worker, and how old its settings are; `answered_at` None: it has never said them, and `problem` says why."""

    hostname: str
    online: bool
    answered_at: datetime | None
    problem: str = ""


@dataclass(frozen=True)
class SettingValue:
    """One value of a setting, redacted JSON, and who has it. `is_masked`: not all of it is shown."""

    value: Any
    hostnames: tuple[str, ...]
    of_app: bool
    is_default: bool
    is_masked: bool


@dataclass(frozen=True)
class SettingState:
    """One setting, everywhere. `values`: what most have comes first; more than one where `differs`.

    `default` is that of the Celery installed here, `has_default` whether it knows the setting at all. `is_changed`:
    somewhere it is known not to be the default. A value of which nothing is shown is never said to be equal to another.
    `advice` are the names of the rules in :attr:`Configuration.advice` that are about it.
    """

    name: str
    group: str
    values: tuple[SettingValue, ...]
    has_default: bool
    default: Any
    is_changed: bool
    differs: bool
    is_masked: bool
    docs_url: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettingAdvice:
    """What is known to hurt. `rule` is its anchor in docs/configuration.md; `hostnames`, `of_app`: whose it is."""

    rule: str
    weight: Weight
    setting: str
    fact: str
    reason: str
    evidence: str
    remedy: str
    url: str
    hostnames: tuple[str, ...]
    of_app: bool


@dataclass(frozen=True)
class Configuration:
    """`is_hidden`: it tells of everybody's tasks, and so is not for a user of limited visibility; the rest is empty.

    `app_problem`: why the app's own settings are not among the values (a class of exceptions), else empty.
    """

    checked_at: datetime
    settings: tuple[SettingState, ...] = ()
    advice: tuple[SettingAdvice, ...] = ()
    workers: tuple[WorkerSettings, ...] = ()
    celery_version: str = celery.__version__
    app_problem: str = ""
    is_hidden: bool = False


def configuration(visibility: Visibility) -> Configuration:
    """All settings by name.

    Cost: the tables of workers and of their answers to ``conf``; the end of an index for the longest run, a range of
    one for lost processes, and an index probe for each worker whose settings say that it sends nothing.
    """
    now = timezone.now()
    if not visibility.is_everything:
        return Configuration(now, is_hidden=True)
    redactor = configured_redactor()
    known = workers(visibility)
    rows = {row.hostname: row for row in WorkerSnapshot.objects.filter(kind="conf")}
    answered = {
        worker.hostname: masked_settings(typed.record(rows[worker.hostname].content), redactor)
        for worker in known
        if worker.hostname in rows and rows[worker.hostname].answered_at is not None
    }
    problem, own = "", None
    try:
        own = app_settings(watched_app(), redactor)
    except SettingsUnreadable as error:
        problem = str(error)
    evidence = _evidence(answered, now)
    advice = _advice(own, answered, evidence)
    return Configuration(
        now,
        settings=tuple(_settings(own, answered, advice)),
        advice=tuple(advice),
        workers=tuple(_worker(worker, rows.get(worker.hostname)) for worker in known),
        app_problem=problem,
    )


def _worker(worker: Worker, row: WorkerSnapshot | None) -> WorkerSettings:
    if row is None:
        return WorkerSettings(worker.hostname, worker.online, None)
    return WorkerSettings(
        worker.hostname, worker.online, row.answered_at, str(row.get_problem_display() or "")
    )


def _settings(
    own: Mapping[str, Any] | None, answered: Mapping[str, Mapping[str, Any]], advice: Sequence[SettingAdvice]
) -> Iterable[SettingState]:
    sources: list[tuple[str, Mapping[str, Any]]] = [
        *([("", own)] if own is not None else []),
        *answered.items(),
    ]
    for name in sorted({name for _host, settings in sources for name in settings}):
        values = _values(name, sources)
        has_default, default = default_of(name)
        yield SettingState(
            name,
            group_of(name),
            values,
            has_default,
            default,
            is_changed=any(not value.is_default and not is_hidden(value.value) for value in values),
            differs=sum(not is_hidden(value.value) for value in values) > 1,
            is_masked=any(value.is_masked for value in values),
            docs_url=docs_url(name),
            advice=tuple(dict.fromkeys(each.rule for each in advice if each.setting == name)),
        )


def _values(name: str, sources: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[SettingValue, ...]:
    having: dict[str, tuple[Any, list[str]]] = {}
    for hostname, settings in sources:
        if name in settings and (hostname or name not in _FILLED_BY_WORKERS or len(sources) == 1):
            # What is hidden is no value that could be told from another.
            key = "hidden" if is_hidden(settings[name]) else repr(_comparable(name, settings[name]))
            having.setdefault(key, (settings[name], []))[1].append(hostname)
    found = [
        SettingValue(
            value,
            tuple(host for host in hosts if host),
            of_app="" in hosts,
            is_default=is_default(name, value),
            is_masked=is_masked(value),
        )
        for value, hosts in having.values()
    ]
    return tuple(sorted(found, key=lambda value: (-len(value.hostnames) - value.of_app, not value.of_app)))


def _comparable(name: str, value: Any) -> Any:
    """All ways to write the default are one: a number of seconds or a timedelta, an address or none."""
    return ("default",) if is_default(name, value) else normal(value)


def _advice(
    own: Mapping[str, Any] | None, answered: Mapping[str, Mapping[str, Any]], evidence: Evidence
) -> list[SettingAdvice]:
    """What is said of several of them is said once."""
    said: dict[Advice, list[str]] = {}
    for hostname, settings in answered.items():
        for advice in advise(settings, evidence, hostname):
            said.setdefault(advice, []).append(hostname)
    # What an app says of workers counts where no worker says otherwise.
    for advice in advise(own, evidence) if own is not None else []:
        if advice in said or not answered or advice.rule.of_senders:
            said.setdefault(advice, []).append("")
    found = [
        SettingAdvice(
            advice.rule.name,
            advice.weight,
            advice.rule.setting,
            advice.found.fact,
            advice.found.reason,
            advice.found.evidence,
            advice.found.remedy,
            advice.rule.url or docs_url(advice.rule.setting),
            tuple(host for host in hosts if host),
            "" in hosts,
        )
        for advice, hosts in said.items()
    ]
    return sorted(found, key=lambda one: (list(Weight).index(one.weight), one.rule))


def _evidence(answered: Mapping[str, Mapping[str, Any]], now: datetime) -> Evidence:
    longest = (
        Task.objects.filter(runtime__isnull=False).order_by("-runtime").values_list("runtime", "name").first()
    )
    lost = Task.objects.filter(exception_type="WorkerLostError", first_seen__gt=now - LOST_WITHIN).count()
    silent = [
        hostname
        for hostname, settings in answered.items()
        if settings.get("worker_send_task_events") is False
    ]
    sending: Iterable[str] = ()
    if silent:
        seen = Task.objects.filter(worker=OuterRef("pk"), first_seen__gt=now - SENT_WITHIN)
        sending = Worker.objects.filter(Exists(seen), pk__in=silent).values_list("pk", flat=True)
    return Evidence(
        longest=longest[0] if longest else None,
        longest_name=(longest[1] or "?") if longest else "",
        lost_processes=lost,
        sending=frozenset(sending),
    )
