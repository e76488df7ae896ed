"""Which values of settings are durations."""

from __future__ import annotations

from typing import Any

import pytest
from celery.app import defaults

from monitoring.configuration.durations import IN_SECONDS, duration_of

#: Settings that Celery documents, and has no default for.
WITHOUT_DEFAULT = {"redis_backend_health_check_interval"}


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("task_time_limit", 3600, 3600.0),
        ("worker_timer_precision", 0.1, 0.1),
        ("result_expires", "1 day, 0:00:00", 86_400.0),
        ("task_time_limit", None, None),
        ("beat_max_loop_interval", 0, None),
        ("broker_heartbeat", float("inf"), None),
        ("task_time_limit", True, None),
        ("task_time_limit", "[redacted]", None),
        ("worker_max_tasks_per_child", 3600, None),
        ("beat_sync_every", 300, None),
        ("broker_heartbeat_checkrate", 2.0, None),
        ("result_backend_max_sleep_between_retries_ms", 10_000, None),
        ("worker_max_memory_per_child", 400_000, None),
        ("shop_timeout", 60, None),
    ],
)
def test_only_settings_that_celery_documents_as_seconds_are_durations(
    name: str, value: Any, seconds: float | None
) -> None:
    assert duration_of(name, value) == seconds


def test_every_listed_setting_is_one_of_celery() -> None:
    assert set(defaults.DEFAULTS) >= IN_SECONDS - WITHOUT_DEFAULT
