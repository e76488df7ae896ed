"""Settings that cannot work are errors of `manage.py check`, and no tracebacks of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command

from monitoring.checks import check_settings, check_time_zones
from monitoring.conf import MonitoringSettings, monitoring_settings
from monitoring.ingest.wiring import ConsumerProcess

NO_NUMBERS = (float("nan"), float("inf"))
not_a_function = "shop"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("METRICS_PUBLIC", "yes", "monitoring.E002"),
        ("METRICS_LABELS", ("worker", "task"), "monitoring.E003"),
        ("METRICS_LABELS", "worker", "monitoring.E002"),
        ("METRICS_LABELS", (), None),
        ("METRICS_LABELS", ["queue"], None),
        ("METRICS_MAX_VALUES", 0, "monitoring.E003"),
        ("METRICS_WORKER_EXPIRY", -1, "monitoring.E003"),
        ("METRICS_WORKER_EXPIRY", 900, None),
        ("TRACE_URL", "https://jaeger.example.com/trace/", "monitoring.E003"),
        ("TRACE_URL", "javascript:alert('{trace_id}')", "monitoring.E003"),
        ("TRACE_URL", "https://jaeger.example.com/trace/{trace_id}", None),
        ("TRACE_URL", "/jaeger/trace/{trace_id}", None),
        ("REDACT_KEYS", ["*"], "monitoring.E003"),
        ("REDACT_KEYS", [""], "monitoring.E003"),
        ("REDACT_KEYS", ["*pin*", "näme"], None),
        ("REDACT_PATTERNS", [""], "monitoring.E003"),
        ("REDACT_PATTERNS", ["(?P<secret>x*)"], "monitoring.E003"),
        ("REDACT_PATTERNS", ["("], "monitoring.E003"),
        ("REDACT_PATTERNS", ["x+"], None),
        ("QUEUE_NAME", "", "monitoring.E003"),
        ("QUEUE_NAME", "   ", "monitoring.E003"),
        ("QUEUE_NAME", "q" * 255, None),
        ("QUEUE_NAME", "é" * 128, "monitoring.E003"),
        *(("BATCH_SECONDS", value, "monitoring.E003") for value in NO_NUMBERS),
        *(("CONTROL_TIMEOUT", value, "monitoring.E003") for value in NO_NUMBERS),
        *(("METRICS_WORKER_EXPIRY", value, "monitoring.E003") for value in NO_NUMBERS),
        ("BATCH_SECONDS", 0.001, None),
        ("VISIBILITY", "tests.test_settings.not_a_function", "monitoring.E003"),
        ("VISIBILITY", "tests.test_settings.nothing", "monitoring.E003"),
        ("VISIBILITY", ".x", "monitoring.E003"),
        ("VISIBILITY", "monitoring.queries.visibility.visibility_of", None),
        ("CELERY_APP", "tests.test_settings.not_a_function", "monitoring.E003"),
        ("CELERY_APP", "project.celery.app", None),
    ],
)
def test_a_value_that_cannot_work_is_an_error(
    settings: Any, name: str, value: Any, fault: str | None
) -> None:
    settings.MONITORING = {**settings.MONITORING, name: value}
    found = list(check_settings(None))
    assert [message.id for message in found] == ([fault] if fault else [])
    assert all(f"MONITORING[{name!r}]" in message.msg for message in found)


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_settings_that_are_no_dict_are_an_error(settings: Any, value: Any) -> None:
    settings.MONITORING = value
    errors = [message for message in checks.run_checks() if message.id == "monitoring.E002"]
    assert [message.msg for message in errors] == ["MONITORING is not a dict."]
    assert monitoring_settings.BATCH_SIZE == MonitoringSettings.BATCH_SIZE


@pytest.mark.parametrize("value", [None, 0, float("nan"), "", "*", [1], [""], ["*"], {}, object()])
@pytest.mark.parametrize("name", MonitoringSettings.types())
def test_no_value_ends_the_checks(settings: Any, name: str, value: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, name: value}
    found = checks.run_checks(tags=["monitoring"])
    assert all(isinstance(message, checks.CheckMessage) for message in found)


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
@pytest.mark.parametrize("option", ["--batch-seconds", "--drain"])
def test_an_option_of_the_consumer_that_is_no_number_of_seconds_is_refused(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=option):
        call_command("run_event_consumer", f"{option}={value}")


@pytest.mark.parametrize(
    ("name", "words"), [("é" * 128, "longer than 255 bytes"), ("", "empty"), ("   ", "empty")]
)
def test_a_queue_that_no_broker_can_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setattr(ConsumerProcess, "run", lambda self: pytest.fail("it consumes another queue"))
    with pytest.raises(CommandError, match=f"--queue must not be {words}"):
        call_command("run_event_consumer", "--queue", name)


def test_times_without_a_zone_are_an_error(settings: Any) -> None:
    assert check_time_zones(None) == []
    settings.USE_TZ = False
    assert checks.Error(
        "USE_TZ is False: the monitor stores moments, and times without a zone are none.",
        hint="Set USE_TZ = True. See docs/configure.md#time-zones.",
        id="monitoring.E007",
    ) in checks.run_checks(tags=["monitoring"])
