"""Which settings are durations in seconds, by Celery's documentation of each. Pure."""

from __future__ import annotations

import math
from typing import Any

from .defaults import seconds_of

#: Settings that are said to be seconds (configuration.rst of Celery 5.7; of the soft shutdown workers.rst).
IN_SECONDS = frozenset({
    "azureblockblob_connection_timeout", "azureblockblob_read_timeout", "azureblockblob_retry_initial_backoff_sec",
    "beat_cron_starting_deadline", "beat_max_loop_interval", "broker_connection_timeout", "broker_heartbeat",
    "broker_pool_acquire_timeout", "cassandra_entry_ttl", "control_queue_expires", "control_queue_ttl",
    "cosmosdbsql_max_retry_wait_time", "elasticsearch_timeout", "event_queue_expires", "event_queue_ttl", "gcs_ttl",
    "redis_backend_health_check_interval", "redis_socket_connect_timeout", "redis_socket_timeout",
    "result_chord_join_timeout", "result_expires", "task_soft_time_limit", "task_time_limit", "worker_lost_wait",
    "worker_proc_alive_timeout", "worker_soft_shutdown_timeout", "worker_timer_precision",
})  # fmt: skip


def duration_of(name: str, value: Any) -> float | None:
    """The seconds of a setting's value, JSON; None where it is no duration, and for 0, which means something else."""
    seconds = seconds_of(value) if name in IN_SECONDS else None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds > 0 else None
