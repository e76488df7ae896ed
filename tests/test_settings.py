"""Settings of the metrics and traces that cannot work are errors of `manage.py check`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks

from monitoring.checks import check_settings, check_time_zones


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
    ],
)
def test_a_value_that_cannot_work_is_an_error(
    settings: Any, name: str, value: Any, fault: str | None
) -> None:
    settings.MONITORING = {**settings.MONITORING, name: value}
    assert [message.id for message in check_settings(None)] == ([fault] if fault else [])


def test_times_without_a_zone_are_an_error(settings: Any) -> None:
    assert check_time_zones(None) == []
    settings.USE_TZ = False
    assert checks.Error(
        "USE_TZ is False: the monitor stores moments, and times without a zone are none.",
        hint="Set USE_TZ = True. See docs/configure.md#time-zones.",
        id="monitoring.E007",
    ) in checks.run_checks(tags=["monitoring"])
