"""The plug-in never gets in a task's way: each of its hooks made to fail, and every kind of app."""

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, Task
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from celery.exceptions import SoftTimeLimitExceeded
from celery.worker.request import Request

from monitoring.celery import DurableEvents, guard, install, messages, plugin


@pytest.fixture(autouse=True)
def no_warning_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_warned_at", {})


def watched(**options: Any) -> Celery:
    app = Celery("watched", broker="memory://", set_as_current=False, **options)
    install(app)
    return app


class Sent(EventDispatcher):
    """Keeps what it would send."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sent: list[dict[str, Any]] = []

    def _publish(self, event: Any, *args: Any, **options: Any) -> None:
        self.sent.append(event)


class OwnEvents(Events):
    dispatcher_cls = Sent


def dispatcher() -> Any:
    app = watched(events=OwnEvents)
    return app.events.Dispatcher(app.connection(), hostname="celery@a", buffer_group=set())


def request_of(dispatcher: Any, base: type = Request, **message: Any) -> Any:
    """A request of the plug-in's class as a worker makes it."""
    task = dispatcher.app.tasks["celery.chain"]
    request = plugin._request_class(base).__new__(plugin._request_class(base))
    request._eventer, request._task, request.id, request.name = dispatcher, task, "t", "shop.pay"
    request._request_dict = {"retries": 2, "monitoring_queue": "high", **message}
    return request


@pytest.mark.parametrize("events", [None, "monitoring.celery:DurableEvents", DurableEvents, OwnEvents])
def test_an_app_keeps_its_own_class_of_events(events):
    app = watched(events=events)
    install(app)  # a second time changes nothing
    assert isinstance(app.events, plugin.symbol_by_name(events or Events))
    mro = app.events.Dispatcher.__mro__
    assert [c.__name__ for c in mro].count("_MonitoredDispatcher") == 1
    base = plugin.symbol_by_name(events or Events).dispatcher_cls
    assert issubclass(app.events.Dispatcher, plugin.symbol_by_name(base))


def test_a_task_with_a_request_class_of_its_own_keeps_it():
    app = watched()

    class Own(Request):
        """The project's own."""

    @app.task(name="own", Request=Own)
    def own() -> None: ...

    plugin._watch_requests(SimpleNamespace(app=app))
    assert issubclass(app.tasks["own"].Request, Own)
    assert issubclass(app.tasks["celery.chain"].Request, plugin._MonitoredRequest)
    before = app.tasks["own"].Request
    plugin._watch_requests(SimpleNamespace(app=app))
    assert app.tasks["own"].Request is before


def test_an_app_without_the_plug_in_is_left_alone():
    app = Celery("other", set_as_current=False)

    @app.task(name="other")
    def other() -> None: ...

    plugin._watch_requests(SimpleNamespace(app=app))
    assert app.tasks["other"].Request == Task.Request


def test_events_of_a_request_say_its_name_attempt_and_queue_without_secrets():
    sender = dispatcher()
    request_of(sender).send_event("task-succeeded", result="password=hunter2", runtime=1.0)
    event = sender.sent[0]
    assert {key: event[key] for key in ("uuid", "name", "retries", "queue", "result", "runtime")} == {
        "uuid": "t", "name": "shop.pay", "retries": 2, "queue": "high", "result": "password=[redacted]", "runtime": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "hook",
    [
        "_facts_of_current_task",
        "_without_secrets",
        "_options_of",
        "_MonitoredDispatcher._completed",
        "configured_redactor",
    ],
)
def test_an_event_is_sent_whatever_fails(hook, monkeypatch, caplog):
    sender = dispatcher()
    monkeypatch.setattr(f"monitoring.celery.plugin.{hook}", fail)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            sender.send("task-started", uuid="t")
            sender.publish("task-sent", {"uuid": "t"}, object())
    assert [event["type"] for event in sender.sent] == ["task-started", "task-sent"] * 5
    warnings = [r for r in caplog.records if r.name == "monitoring.celery"]
    assert len(warnings) == 1, "once a minute"
    assert "hunter2" not in caplog.text


def test_an_event_is_sent_when_nothing_of_a_request_can_be_read():
    sender = dispatcher()
    request = request_of(sender)
    request._request_dict = None
    request.send_event("task-started")
    assert sender.sent[0]["uuid"] == "t"


def test_a_log_that_fails_harms_nobody(monkeypatch):
    monkeypatch.setattr(guard.logger, "warning", fail)
    monkeypatch.setattr(plugin, "_without_secrets", fail)
    sender = dispatcher()
    sender.send("task-started", uuid="t")
    assert len(sender.sent) == 1


def test_a_soft_time_limit_that_strikes_in_our_code_still_reaches_the_task(monkeypatch):
    def too_slow(*_args: Any) -> Any:
        raise SoftTimeLimitExceeded(5)

    monkeypatch.setattr(plugin, "_without_secrets", too_slow)
    with pytest.raises(SoftTimeLimitExceeded):
        dispatcher().send("task-progress", uuid="t")


@pytest.mark.parametrize("part", ["queue_of", "workflow_of", "arguments_of"])
def test_a_part_that_fails_does_not_take_the_others_with_it(part, monkeypatch):
    found = {"queue_of": "high", "workflow_of": '{"chain":["b"]}', "arguments_of": ("[[],{}]", "exact")}
    for name, value in found.items():
        monkeypatch.setattr(plugin, name, lambda *_args, value=value: value)
    monkeypatch.setattr(plugin, part, fail)
    sender = dispatcher()
    request = request_of(sender)

    plugin._look_at(sender=SimpleNamespace(event_dispatcher=sender), request=request)
    sender.send("task-received", uuid="t", name="shop.pay", retries=2)

    told = {"queue_of": "queue", "workflow_of": "workflow", "arguments_of": "arguments"}
    assert {field for field in told.values() if field in sender.sent[0]} == set(told.values()) - {told[part]}


@pytest.mark.parametrize("sender", [None, SimpleNamespace(), SimpleNamespace(event_dispatcher=None)])
def test_a_consumer_of_another_kind_is_nothing_to_look_at(sender):
    plugin._look_at(sender=sender, request=None)
    plugin._watch_requests(sender=sender)


def test_what_was_kept_for_one_task_never_goes_out_with_another():
    sender = dispatcher()
    sender.receiving = ("other", {"queue": "wrong"})
    sender.send("task-received", uuid="t", retries=0)
    assert "queue" not in sender.sent[0]


def test_without_rules_of_redaction_no_arguments_are_told(monkeypatch):
    monkeypatch.setattr(plugin, "configured_redactor", fail)
    monkeypatch.setattr(plugin, "queue_of", lambda *_: "high")
    monkeypatch.setattr(plugin, "workflow_of", lambda *_: None)
    sender = dispatcher()
    plugin._look_at(sender=SimpleNamespace(event_dispatcher=sender), request=request_of(sender))
    sender.send("task-received", uuid="t")
    assert sender.sent[0]["queue"] == "high"
    assert "arguments" not in sender.sent[0]


def fail(*_args: Any, **_options: Any) -> Any:
    raise RuntimeError("hunter2")


def test_a_task_tells_the_schedule_that_sent_it():
    request = SimpleNamespace(
        _payload=((), {}, {"callbacks": None}),
        group=None,
        request_dict={"periodic_task_name": "Nightly " + "x" * 999},
    )
    told = json.loads(messages.workflow_of(request))
    assert set(told) == {"schedule"}
    assert told["schedule"].startswith("Nightly x")
    assert len(told["schedule"]) == messages.MAX_NAME_LENGTH
    request.request_dict = {"periodic_task_name": {"odd": 1}}
    assert messages.workflow_of(request) is None
