"""What of a Celery app's settings may be stored and shown. Fails closed: what is not known to be harmless is hidden.

Celery masks some itself before a worker answers ``inspect conf`` (celery/app/utils.py, ``filter_hidden_settings``), by
the names of settings. That leaves the passwords of options that belong to a transport, and everything that a project
keeps among its settings. So here

- a setting that Celery does not know is shown only as far as it is a number, a boolean or None;
- options of transports and backends are shown only where their names say that they hold no secret;
- a URL is taken apart, and only the parts that are known not to be secret are put together again;
- everything else goes through the redactor that events go through.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from celery.app import defaults

from ..ingest.redaction import MARK, Redactor

#: What Celery itself puts in place of a value that it takes for a secret.
CELERYS_MARK = "********"
#: Levels of nesting that are looked into.
_DEPTH = 12
#: Settings whose texts are addresses, by how their names end.
_ADDRESSES = ("_url", "result_backend", "cache_backend", "_servers")
#: Settings that hand options to a library of somebody else, by how their names end.
_OPTIONS = (
    "transport_options", "_options", "_use_ssl", "_backend_settings", "_auth_kwargs",
)  # fmt: skip
#: Options whose texts hold no secret, whatever the transport.
_HARMLESS_OPTIONS = frozenset({
    "confirm_publish", "exchange", "fanout_patterns", "fanout_prefix", "global_keyprefix", "isolation_level",
    "login_method", "master_name", "polling_interval", "priority_steps", "queue_name_prefix", "queue_order_strategy",
    "region", "replicaset", "sep", "service_name", "socket_keepalive", "ssl_cert_reqs", "ssl_version",
    "taskmeta_collection", "unacked_key", "visibility_timeout", "wait_time_seconds",
})  # fmt: skip
#: Where the user of a URL is a name.
_SCHEMES_WITH_USERS = frozenset({
    "amqp", "amqps", "pyamqp", "pyamqps", "redis", "rediss", "valkey", "valkeys", "sentinel", "mongodb", "mongodb+srv",
    "db+postgresql", "db+mysql", "db+postgresql+psycopg", "db+postgresql+psycopg2", "postgresql", "postgres", "mysql",
})  # fmt: skip
#: Parameters of a URL that hold no secret.
_HARMLESS_PARAMETERS = frozenset({
    "charset", "client_encoding", "db", "encoding", "health_check_interval", "heartbeat", "max_connections",
    "retry_on_timeout", "socket_connect_timeout", "socket_timeout", "ssl", "ssl_cert_reqs", "sslmode", "timeout",
    "virtual_host",
})  # fmt: skip
#: What a schedule says that may be anybody's to read; its arguments are a task's.
_SCHEDULE_FIELDS = frozenset({"task", "schedule", "options", "relative"})

_URL = re.compile(
    r"""(?P<scheme>[a-z][a-z0-9+.-]{0,60})://
        (?:(?P<user>[^@/?#:]*)(?P<password>:[^@/?#]*)?@)?
        (?P<host>[\w.\-:,\[\]]*)
        (?P<path>/[\w.\-/%:]*)?
        (?:\?(?P<query>[^#]*))?
        (?:\#.*)?\Z""",
    re.VERBOSE | re.ASCII | re.IGNORECASE | re.DOTALL,
)
#: Keys of a setting that a project has in its Django settings, and which Celery's `conf` lists with its own.
_DJANGO_SETTING = re.compile(r"(?!CELERY)[A-Z][A-Z0-9_]*\Z")


def is_celerys(name: str) -> bool:
    """Whether the installed Celery knows a setting of this name."""
    return name in defaults.DEFAULTS


def is_listed(name: str) -> bool:
    """Whether it is a setting at all.

    Where an app is configured from Django's settings, its `conf` also lists every one of these, and with a namespace
    Celery's own once more by their long names (``CELERY_BROKER_URL``).
    """
    if name.startswith("CELERY_"):
        return name.removeprefix("CELERY_").lower() not in defaults.DEFAULTS
    return not _DJANGO_SETTING.match(name) and name not in ("deprecated_settings", "is_overridden")


def masked_settings(conf: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Settings by name, as JSON without secrets; what is no setting is left out. Never raises for a value."""
    return {
        redactor.text(name): masked_setting(name, value, redactor)
        for name, value in conf.items()
        if is_listed(name)
    }


def masked_setting(name: str, value: Any, redactor: Redactor) -> Any:
    """The value of one setting, JSON, without what may be a secret. What it answers it answers again for that."""
    if value is None or isinstance(value, bool):
        return value
    if redactor.is_sensitive(name):
        return MARK
    if not is_celerys(name):
        return value if isinstance(value, int | float) else MARK
    if name.endswith(_ADDRESSES):
        return _each_text(value, lambda text: masked_address(text, redactor))
    if name.endswith(_OPTIONS):
        return _options(value, redactor, _DEPTH)
    if name == "beat_schedule" and isinstance(value, dict):
        value = {entry: _schedule(told) for entry, told in value.items()}
    shown = _each_text(value, lambda text: _address_within(text, redactor))
    # One by one: in a list of modules, what follows one that is named like a secret is none.
    return [redactor.value(item) for item in shown] if isinstance(shown, list) else redactor.value(shown)


def masked_address(text: str, redactor: Redactor) -> str:
    """A URL, or several joined by ``;``, without its password and what its parameters say.

    ``amqp://shop:[redacted]@mq.internal:5672/prod``. The name of a backend without an address (``django-db``) stays as
    it is, and what is neither is hidden. A user without a password may be a token, and so is hidden too.
    """
    if "://" not in text:
        return text if re.fullmatch(r"[\w.+\-:]{0,100}", text, re.ASCII) else MARK
    # First those that may have any character in their passwords: from there on nothing is left of them.
    text = redactor.url(text)
    return ";".join(_one_address(part, redactor) for part in re.split(r";(?=[\w+.\-]+://)", text))


def _one_address(text: str, redactor: Redactor) -> str:
    match = _URL.match(text)
    if match is None or match["scheme"].lower().startswith("azureblockblob"):
        scheme = text.partition("://")[0]
        return f"{scheme}://{MARK}" if re.fullmatch(r"[\w+.\-]{1,60}", scheme, re.ASCII) else MARK
    user = ""
    if match["user"] or match["password"]:
        # Services of Amazon and Microsoft have half of a key where others have a name.
        is_name = match["password"] and re.fullmatch(r"[A-Za-z][\w.\-]{0,40}|", match["user"], re.ASCII)
        is_name = is_name and match["scheme"].lower() in _SCHEMES_WITH_USERS
        user = f"{match['user']}:{MARK}@" if is_name else f"{MARK}@"
    query = f"?{_parameters(match['query'])}" if match["query"] else ""
    return redactor.text(f"{match['scheme']}://{user}{match['host']}{match['path'] or ''}{query}")


def _parameters(query: str) -> str:
    shown = []
    for parameter in query.split("&"):
        name, _equals, value = parameter.partition("=")
        is_harmless = name in _HARMLESS_PARAMETERS and re.fullmatch(r"[\w.\-]{0,40}", value, re.ASCII)
        shown.append(parameter if is_harmless else f"{name if name.isidentifier() else ''}={MARK}")
    return "&".join(shown)


def _address_within(text: str, redactor: Redactor) -> str:
    """A text of any other setting: if it is a URL, any character of it may be of its password.

    What could not be written at all quotes an error, which may quote anything (kombu/utils/encoding.py, ``safe_repr``).
    """
    if "<Unrepresentable" in text:
        return MARK
    return masked_address(text, redactor) if "://" in text else text


def _options(value: Any, redactor: Redactor, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if not isinstance(value, dict) or depth <= 0:
        return MARK if value else value
    return {
        redactor.text(str(name)): _option(str(name), told, redactor, depth) for name, told in value.items()
    }


def _option(name: str, value: Any, redactor: Redactor, depth: int) -> Any:
    if redactor.is_sensitive(name):
        return value if value is None or isinstance(value, bool) else MARK
    if isinstance(value, str | list):
        return redactor.value(value) if name in _HARMLESS_OPTIONS else MARK
    return _options(value, redactor, depth - 1)


def _schedule(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return MARK
    return {name: told if name in _SCHEDULE_FIELDS or not told else MARK for name, told in entry.items()}


def _each_text(value: Any, change: Callable[[str], str], depth: int = _DEPTH) -> Any:
    if isinstance(value, str):
        return change(value)
    if depth <= 0:
        return MARK
    if isinstance(value, dict):
        return {name: _each_text(item, change, depth - 1) for name, item in value.items()}
    return [_each_text(item, change, depth - 1) for item in value] if isinstance(value, list) else value


def is_masked(value: Any) -> bool:
    """Whether some of a value is not shown, by Celery or by us. Stored values are of bounded depth, so this ends."""
    if isinstance(value, str):
        return MARK in value or CELERYS_MARK in value
    if isinstance(value, dict):
        return any(map(is_masked, [*value, *value.values()]))
    return isinstance(value, list) and any(map(is_masked, value))


def is_hidden(value: Any) -> bool:
    """Masked as a whole: whether it is the default nobody knows."""
    return isinstance(value, str) and bool(value) and (value == MARK or not value.strip("*"))
