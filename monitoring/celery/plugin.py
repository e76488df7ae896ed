"""The plug-in for workers: every event names its task, queue and attempt, and brings the full arguments once.

Celery is extended where it says that it may be: the class of an app's events (``app.events``), the class of a task's
requests (``Task.Request``), and the signals ``worker_init`` and ``task_received``. The arguments travel on
``task-received``: an event of its own would be a state of its own to other monitors.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from celery import current_task, signals
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from celery.utils.imports import symbol_by_name

from monitoring.arguments import MAX_LENGTH
from monitoring.ingest.redaction import MARK, Redactor
from monitoring.ingest.redaction_settings import configured_redactor

from .durable import DurableEventDispatcher, DurableEvents
from .guard import FOR_THE_TASK, warn
from .messages import arguments_of, queue_of, trace_of, workflow_of

#: Fields that are no text of the task's own.
_NAMES = frozenset(
    {"uuid", "name", "queue", "exchange", "routing_key", "root_id", "parent_id", "eta", "expires",
     "arguments", "arguments_are", "workflow", "trace_id",
     "blind", "utcoffset", "retry", "retry_policy", "Event"}  # for the dispatcher itself
)  # fmt: skip


def install(app: Any, *, arguments: bool = True, max_length: int = MAX_LENGTH) -> None:
    """Let every task event of `app` carry ``name``, ``queue`` and ``retries``, and tell the full arguments.

    Call it where the app is made, before anything is sent. What leaves the worker is redacted by the rules of
    ``MONITORING``; where Django's settings cannot be read there, arguments stay where they are. `max_length` is that of
    the arguments as JSON, in characters. With ``arguments=False`` only names, queues and attempts are told.
    """
    app.monitoring_plugin = _Options(arguments, max_length)
    app.events_cls = _events_class(app.events_cls)
    app.__dict__.pop("events", None)  # made anew, where it was made already
    signals.worker_init.connect(_watch_requests, weak=False, dispatch_uid="monitoring.requests")
    signals.task_received.connect(_look_at, weak=False, dispatch_uid="monitoring.received")


class _Options:
    """What :func:`install` was told, and the redactor, made when the first task needs it."""

    def __init__(self, arguments: bool, max_length: int) -> None:
        self.arguments = arguments
        self.max_length = max_length

    @cached_property
    def redactor(self) -> Redactor | None:
        """None where the rules cannot be read; then no arguments are told, and the rest is as Celery sends it."""
        try:
            return configured_redactor()
        except Exception as error:
            warn("read the rules of redaction, and tells no arguments", error)
            return None


def _options_of(app: Any) -> _Options:
    """Those of :func:`install`; an app that was pickled into another process starts with the defaults."""
    if not hasattr(app, "monitoring_plugin"):
        app.monitoring_plugin = _Options(arguments=True, max_length=MAX_LENGTH)
    options: _Options = app.monitoring_plugin
    return options


class _MonitoredDispatcher:
    """Adds to an event what is known of its task, and takes secrets out of its texts."""

    #: Id and facts of the task whose ``task-received`` comes next: the signal and the event follow each other.
    receiving: tuple[str, dict[str, Any]] | None = None

    def send(self, type: str, *args: Any, **fields: Any) -> Any:  # noqa: A002
        if type.startswith("task-"):
            try:
                fields = self._completed(type, fields)
            except FOR_THE_TASK:
                raise
            except Exception as error:
                warn("complete an event", error)
        return super().send(type, *args, **fields)  # type: ignore[misc]

    def publish(self, type: str, fields: dict[str, Any], *args: Any, **options: Any) -> Any:  # noqa: A002
        """The way of ``task-sent``."""
        if type.startswith("task-"):
            try:
                fields = self._completed(type, fields)
            except FOR_THE_TASK:
                raise
            except Exception as error:
                warn("complete an event", error)
        return super().publish(type, fields, *args, **options)  # type: ignore[misc]

    def _completed(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Celery's own fields and those of a task's own event come first: they mean what they mean."""
        if kind == "task-received":
            receiving, self.receiving = self.receiving, None
            if receiving is not None and receiving[0] == fields.get("uuid"):
                fields = {**receiving[1], **fields}
        elif "retries" not in fields:
            fields = {**_facts_of_current_task(fields.get("uuid")), **fields}
        redactor = _options_of(self.app).redactor  # type: ignore[attr-defined]
        return fields if redactor is None else _without_secrets(fields, redactor)


def _without_secrets(fields: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    return {
        name: value
        if name in _NAMES or not isinstance(value, str | list | dict)
        else MARK
        if redactor.is_sensitive(name)
        else redactor.value(value)
        for name, value in fields.items()
    }


def _facts_of_current_task(task_id: Any) -> dict[str, Any]:
    """Of an event that a task sends of itself, in its own process."""
    task = current_task
    if not task or task.request.id != task_id:
        return {}
    request: Any = task.request
    facts = {"name": task.name, "retries": request.retries}
    queue = getattr(request, "monitoring_queue", None)
    return facts | {"queue": queue} if queue else facts


class _MonitoredRequest:
    """A request whose events say what they are about."""

    def send_event(self, type: str, **fields: Any) -> Any:  # noqa: A002
        try:
            request: Any = self
            facts = {"name": request.name, "retries": request.request_dict.get("retries", 0)}
            queue = request.request_dict.get("monitoring_queue")
            if queue:
                facts["queue"] = queue
            fields = {**facts, **fields}
        except Exception as error:
            warn("name the task of an event", error)
        return super().send_event(type, **fields)  # type: ignore[misc]


def _look_at(sender: Any = None, request: Any = None, **_more: Any) -> None:
    """Keep what is known of a task for its ``task-received``, which Celery sends next; `sender` is the consumer."""
    try:
        dispatcher = sender.event_dispatcher
        if not isinstance(dispatcher, _MonitoredDispatcher) or not dispatcher.enabled:  # type: ignore[attr-defined]
            return
        # A first part that fails does not take the others with it.
        facts: dict[str, Any] = {}
        dispatcher.receiving = (request.id, facts)
        options = _options_of(dispatcher.app)  # type: ignore[attr-defined]
        _add(facts, "tell a queue", _queue, request, sender)
        _add(facts, "tell what follows a task", _workflow, request)
        _add(facts, "tell a trace", _trace, request)
        if options.arguments and options.redactor is not None:
            _add(facts, "tell arguments", _arguments, request, options.redactor, options.max_length)
    except Exception as error:
        warn("look at a task", error)


def _add(facts: dict[str, Any], what: str, find: Any, *given: Any) -> None:
    try:
        facts.update(find(*given))
    except Exception as error:
        warn(what, error)


def _queue(request: Any, consumer: Any) -> dict[str, Any]:
    queue = queue_of(request, consumer)
    if queue is None:
        return {}
    # Goes to the pool with the task, for events that the task sends itself.
    request.request_dict["monitoring_queue"] = queue
    return {"queue": queue}


def _workflow(request: Any) -> dict[str, Any]:
    workflow = workflow_of(request)
    return {} if workflow is None else {"workflow": workflow}


def _trace(request: Any) -> dict[str, Any]:
    trace_id = trace_of(request)
    return {} if trace_id is None else {"trace_id": trace_id}


def _arguments(request: Any, redactor: Redactor, limit: int) -> dict[str, Any]:
    text, standing = arguments_of(request, redactor, limit)
    return {"arguments": text, "arguments_are": str(standing)}


def _watch_requests(sender: Any = None, **_more: Any) -> None:
    """Give each task of a worker that starts (`sender`) a class of requests that also names its events."""
    app: Any = getattr(sender, "app", None)
    if not hasattr(app, "monitoring_plugin"):
        return
    for task in app.tasks.values():
        try:
            task.Request = _request_class(symbol_by_name(task.Request))
        except Exception as error:
            warn("watch the requests of a task", error)


@cache
def _request_class(base: Any) -> Any:
    if issubclass(base, _MonitoredRequest):
        return base
    return type(base.__name__, (_MonitoredRequest, base), {})


class MonitoredEventDispatcher(_MonitoredDispatcher, EventDispatcher):
    """Celery's own dispatcher, with the plug-in."""


class MonitoredDurableEventDispatcher(_MonitoredDispatcher, DurableEventDispatcher):
    """That of :class:`~monitoring.celery.DurableEvents`, with the plug-in."""


class MonitoredEvents(Events):
    dispatcher_cls = "monitoring.celery.plugin:MonitoredEventDispatcher"


class MonitoredDurableEvents(DurableEvents):
    dispatcher_cls = "monitoring.celery.plugin:MonitoredDurableEventDispatcher"


def _events_class(configured: Any) -> Any:
    """The class of events with the plug-in; a path where there is one, since apps are pickled where pools spawn."""
    base = symbol_by_name(configured)
    if base is Events:
        return "monitoring.celery.plugin:MonitoredEvents"
    if base is DurableEvents:
        return "monitoring.celery.plugin:MonitoredDurableEvents"
    if issubclass(symbol_by_name(base.dispatcher_cls), _MonitoredDispatcher):
        return configured  # installed already
    dispatcher = type("MonitoredDispatcher", (_MonitoredDispatcher, symbol_by_name(base.dispatcher_cls)), {})
    return type("MonitoredEvents", (base,), {"dispatcher_cls": dispatcher})
