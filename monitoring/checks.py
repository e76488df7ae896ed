"""System checks, each with an id, a hint and an anchor in docs/configure.md."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import celery
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from .brokers.rabbitmq_api import management_url
from .celery_app import watched_app
from .conf import OPTIONAL_LABELS, MonitoringSettings, monitoring_settings, why_no_queue_name
from .ingest.redaction_names import squash
from .ingest.redaction_settings import configured_redactor
from .models.partitions import EVENT_TABLE, may_make_partitions

_DOCS = "docs/configure.md"
#: The name of the app that Celery makes up where a project has none.
_NOBODYS = "default"
SUPPORTED_VENDORS = ("postgresql", "sqlite")


def register() -> None:
    checks.register(check_settings, "monitoring")
    checks.register(check_database, "monitoring")
    checks.register(check_time_zones, "monitoring")
    checks.register(check_celery, "monitoring")
    # Asks the server, so only where Django says that it may: `migrate`, and `check --database`.
    checks.register(check_partitions, "monitoring", checks.Tags.database)
    checks.register(check_search_index, "monitoring", checks.Tags.database)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """Unknown keys (E001), wrong types (E002), unusable values (E003)."""
    configured: Any = getattr(settings, "MONITORING", {})
    if not isinstance(configured, dict):
        return [
            checks.Error("MONITORING is not a dict.", hint=f"See {_DOCS}#settings.", id="monitoring.E002")
        ]
    types = MonitoringSettings.types()
    found: list[checks.CheckMessage] = []
    for name, value in configured.items():
        if name not in types:
            near = difflib.get_close_matches(str(name), types, n=1, cutoff=0)
            found.append(
                checks.Error(
                    f"MONITORING has an unknown key {name!r}.",
                    hint=f"Did you mean {near[0]!r}? See {_DOCS}#settings.",
                    id="monitoring.E001",
                )
            )
        elif not _fits(value, types[name]):
            found.append(
                checks.Error(
                    f"MONITORING[{name!r}] is {_shown(name, value)}, not {_name(types[name])}.",
                    hint=f"See {_DOCS}#{name.lower()}.",
                    id="monitoring.E002",
                )
            )
    return found or list(_check_values())


def _shown(name: str, value: Any) -> str:
    """A value in a message. An address may have a password in it."""
    return type(value).__name__ if name.endswith("_URL") else f"{value!r:.80}"


def _check_values() -> Iterable[checks.CheckMessage]:
    for name in ("BATCH_SIZE", "BATCH_SECONDS", "QUEUE_MAX_LENGTH", "QUEUE_MAX_BYTES", "MAX_TEXT_LENGTH",
                 "HEARTBEAT_GRACE", "CONTROL_TIMEOUT", "API_RATE", "API_FAILED_SIGN_INS",
                 "METRICS_MAX_VALUES", "METRICS_WORKER_EXPIRY"):  # fmt: skip
        value = getattr(monitoring_settings, name)
        if value is not None and not 0 < value < math.inf:
            yield _unusable(name, "must be a number greater than zero")
    for name, is_usable, kind in (
        ("CELERY_APP", lambda app: isinstance(app, celery.Celery), "Celery app"),
        ("VISIBILITY", callable, "function"),
    ):
        path = getattr(monitoring_settings, name)
        if path is not None:
            try:
                if not is_usable(import_string(path)):
                    yield _unusable(name, f"is {path!r}, which is no {kind}")
            except (ImportError, ValueError) as error:
                yield _unusable(name, f"cannot be imported: {error}")
    if words := why_no_queue_name(monitoring_settings.QUEUE_NAME):
        yield _unusable("QUEUE_NAME", words)
    if monitoring_settings.TRACE_URL and not re.match(
        r"(https?:/)?/.*\{trace_id\}", monitoring_settings.TRACE_URL
    ):
        yield _unusable("TRACE_URL", "must be an address with {trace_id} in it")
    try:
        management_url(monitoring_settings.RABBITMQ_API_URL or "")
    except ValueError:
        yield _unusable("RABBITMQ_API_URL", "is not of the form http://user:password@host:15672")
    for name in monitoring_settings.METRICS_LABELS:
        if name not in OPTIONAL_LABELS:
            yield _unusable("METRICS_LABELS", f"holds {name!r}, and labels are {', '.join(OPTIONAL_LABELS)}")
    if not all(pattern.strip() for pattern in monitoring_settings.OWN_CODE):
        yield _unusable("OWN_CODE", "holds an empty pattern")
    for key in monitoring_settings.REDACT_KEYS:
        if not squash(key):
            yield _unusable("REDACT_KEYS", f"holds {key!r}, which has no letter or digit")
    for pattern in monitoring_settings.REDACT_PATTERNS:
        try:
            if re.compile(pattern).search(""):
                yield _unusable("REDACT_PATTERNS", f"holds {pattern!r}, which matches where nothing stands")
        except re.error as error:
            yield _unusable("REDACT_PATTERNS", f"holds {pattern!r}, which is no regular expression: {error}")


def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """A database that does not exist (E004), cannot be used (E005), or is not routed to (E006)."""
    alias = monitoring_settings.DATABASE
    if alias not in connections:
        return [
            checks.Error(
                f"MONITORING['DATABASE'] names {alias!r}, which is not in DATABASES.",
                hint=f"See {_DOCS}#database.",
                id="monitoring.E004",
            )
        ]
    found = []
    vendor = connections[alias].vendor
    if vendor not in SUPPORTED_VENDORS:
        found.append(
            checks.Error(
                f"The monitor stores to PostgreSQL or SQLite, and {alias!r} is {vendor}.",
                hint=f"Point MONITORING['DATABASE'] at a PostgreSQL alias. See {_DOCS}#database.",
                id="monitoring.E005",
            )
        )
    router = "monitoring.routers.MonitoringRouter"
    if alias != "default" and router not in settings.DATABASE_ROUTERS:
        found.append(
            checks.Error(
                f"MONITORING['DATABASE'] is {alias!r}, but nothing routes the monitor's models there.",
                hint=f"Add {router!r} to DATABASE_ROUTERS. See {_DOCS}#database.",
                id="monitoring.E006",
            )
        )
    return found


def check_time_zones(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """Times without a zone (E007): nothing that is read back could be compared with what comes in."""
    if settings.USE_TZ:
        return []
    return [
        checks.Error(
            "USE_TZ is False: the monitor stores moments, and times without a zone are none.",
            hint=f"Set USE_TZ = True. See {_DOCS}#time-zones.",
            id="monitoring.E007",
        )
    ]


def check_partitions(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterable[checks.CheckMessage]:
    """A PostgreSQL user who may not make partitions of the event log (W001)."""
    alias = monitoring_settings.DATABASE
    if (
        alias not in (databases or ())
        or connections[alias].vendor != "postgresql"
        or may_make_partitions(alias)
    ):
        return []
    return [
        checks.Warning(
            f"The user of database {alias!r} may not make tables beside the event log, so that all events go to its "
            "default partition, and expire by slow deletes.",
            hint=f"Grant it CREATE on the schema and ownership of {EVENT_TABLE}. See docs/operations.md#partitions.",
            id="monitoring.W001",
        )
    ]


def check_search_index(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterable[checks.CheckMessage]:
    """``SEARCH_INDEX`` without the index that it counts on (W002)."""
    alias = monitoring_settings.DATABASE
    # Models are not there yet while this module is imported.
    from .queries.search.index import is_usable

    if not monitoring_settings.SEARCH_INDEX or alias not in (databases or ()) or is_usable(alias):
        return []
    if connections[alias].vendor != "postgresql":
        text, hint = f"database {alias!r} is {connections[alias].vendor}, which has none", "Take it out."
    else:
        text, hint = "the index is not there", "Run: manage.py monitoring_search_index."
    return [
        checks.Warning(
            f"MONITORING['SEARCH_INDEX'] is True, but {text}: searches in texts read every task.",
            hint=f"{hint} See {_DOCS}#search_index.",
            id="monitoring.W002",
        )
    ]


def check_celery(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """Settings of the watched Celery app that are known to hurt (W020 to I028), or that cannot be read (W029).

    What a check says holds no value of a setting. The table is ``configuration/advice.py``.
    """
    from .configuration.advice import advise
    from .configuration.reading import SettingsUnreadable, app_settings

    if list(check_settings(None)):
        return []  # our own first: CELERY_APP and the rules of redaction are needed here
    try:
        app = watched_app()
        if app.main == _NOBODYS:
            return []
        settings_of_app = app_settings(app, configured_redactor())
    except SettingsUnreadable as error:
        return [
            checks.Warning(
                f"The settings of the watched Celery app cannot be read: {error}.",
                hint="Start a worker of it in this environment to see why. See docs/configuration.md#checks.",
                id="monitoring.W029",
            )
        ]
    return [
        (checks.Info if advice.rule.check.startswith("monitoring.I") else checks.Warning)(
            f"{advice.rule.setting}: {advice.found.fact} {advice.found.reason}",
            hint=f"{advice.found.remedy} See docs/configuration.md#{advice.rule.name}.",
            id=advice.rule.check,
        )
        for advice in advise(settings_of_app)
    ]


def _unusable(name: str, why: str) -> checks.Error:
    return checks.Error(
        f"MONITORING[{name!r}] {why}.", hint=f"See {_DOCS}#{name.lower()}.", id="monitoring.E003"
    )


def _fits(value: Any, hint: Any) -> bool:
    """Whether `value` is of the type `hint`; a list will do for a tuple, an int for a float."""
    if isinstance(hint, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, list | tuple) and all(_fits(item, get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _name(hint: Any) -> str:
    if isinstance(hint, UnionType):
        return " or ".join(_name(option) for option in get_args(hint))
    if hint is NoneType:
        return "None"
    return str(hint) if get_origin(hint) else str(hint.__name__)
