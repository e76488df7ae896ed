"""The app's settings: one dict, ``MONITORING``, read anew at each access so that ``override_settings`` works."""

from __future__ import annotations

from typing import Any, get_type_hints

from django.conf import settings

#: The labels of the series of tasks that ``METRICS_LABELS`` may leave out.
OPTIONAL_LABELS = ("worker", "queue", "exception")
#: Bytes that AMQP has for the name of a queue.
MAX_QUEUE_NAME = 255


def why_no_queue_name(name: str) -> str:
    """What a queue that consumers share must not be called, as the end of a sentence; empty for a name that works."""
    if not name.strip():
        return "must not be empty"
    if len(name.encode(errors="surrogatepass")) > MAX_QUEUE_NAME:
        return f"must not be longer than {MAX_QUEUE_NAME} bytes"
    return ""


class MonitoringSettings:
    """Every key of ``MONITORING`` with its type and default.

    An attribute read answers the value in Django's settings, or the default below. Keys and types are validated by the
    system checks in :mod:`monitoring.checks`, not at each read.
    """

    #: Dotted path of the watched Celery app, ``"shop.celery.app"``. None: Celery's own current app.
    CELERY_APP: str | None = None
    #: Database alias of everything that is watched; needs ``monitoring.routers.MonitoringRouter``. See routers.py.
    DATABASE: str = "default"
    #: Name of the durable queue that the consumers share, bound to Celery's event exchange.
    QUEUE_NAME: str = "celeryev.monitoring"
    #: Messages (of up to 24 events each) that the broker keeps for us while no consumer runs; the oldest go first.
    QUEUE_MAX_LENGTH: int = 1_000_000
    #: Bytes that the broker keeps for us while no consumer runs.
    QUEUE_MAX_BYTES: int = 1024**3
    #: Events that one transaction writes at most.
    BATCH_SIZE: int = 4_000
    #: Seconds that an event waits at most for others to share its transaction.
    BATCH_SECONDS: float = 0.2
    #: Names whose values are redacted before anything is stored, in addition to the built-in ones.
    REDACT_KEYS: tuple[str, ...] = ()
    #: Regular expressions whose matches are redacted before anything is stored, in addition to the built-in ones.
    REDACT_PATTERNS: tuple[str, ...] = ()
    #: Characters that one stored text (a result, a traceback) has at most; what is longer is cut and says so.
    MAX_TEXT_LENGTH: int = 65_536
    #: Heartbeats that a worker may miss before it counts as offline.
    HEARTBEAT_GRACE: int = 3
    #: Seconds to wait for a worker's answer to a command.
    CONTROL_TIMEOUT: float = 2.0
    #: Names of the tasks that may be started by hand, with wildcards: ``("shop.reports.*",)``. None: all.
    RUN_TASKS: tuple[str, ...] | None = None
    #: Name of this deployment, shown as a badge on every page, ``"production"``.
    ENVIRONMENT: str = ""
    #: Paths of your own code in tracebacks, with wildcards: ``"/srv/shop/*"``. Empty: all that is not installed.
    OWN_CODE: tuple[str, ...] = ()
    #: Requests to the API that one user may make in a minute. None: no limit.
    API_RATE: int | None = 600
    #: Failed sign-ins to the API, of one user name from one address in a minute, after which it waits.
    API_FAILED_SIGN_INS: int = 10
    #: Whether searches in texts count on the index that ``manage.py monitoring_search_index`` makes (PostgreSQL).
    SEARCH_INDEX: bool = False
    #: Dotted path of a function from a user to a ``monitoring.queries.visibility.Visibility``. None: all see all.
    VISIBILITY: str | None = None
    #: Address of a trace where traces are kept, ``"https://jaeger.example.com/trace/{trace_id}"``. Empty: no link.
    TRACE_URL: str = ""
    #: RabbitMQ's management API, ``"http://user:password@host:15672"``. None: the broker's host with its own user and
    #: password, where something answers there; empty: never.
    RABBITMQ_API_URL: str | None = None
    #: Whether ``/metrics`` is open to everybody who can reach it.
    METRICS_PUBLIC: bool = False
    #: Which of the labels worker, queue and exception the series of tasks have.
    METRICS_LABELS: tuple[str, ...] = OPTIONAL_LABELS
    #: Values that each label of ``/metrics`` has at most; those that came later share ``other``.
    METRICS_MAX_VALUES: int = 1_000
    #: Seconds for which the series of a worker stay that is not heard any more.
    METRICS_WORKER_EXPIRY: float = 600.0

    def __getattribute__(self, name: str) -> Any:
        if name.isupper():
            configured: Any = getattr(settings, "MONITORING", {})
            # What is no dict is for the system check to tell of, which could not run otherwise.
            if isinstance(configured, dict) and name in configured:
                return configured[name]
        return super().__getattribute__(name)

    @classmethod
    def types(cls) -> dict[str, Any]:
        """The type of every key, by name."""
        return {name: hint for name, hint in get_type_hints(cls).items() if name.isupper()}


monitoring_settings = MonitoringSettings()
