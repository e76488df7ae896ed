"""The groups that settings stand in, by their names. Pure."""

from __future__ import annotations

#: Groups in the order that they are shown in, each with the beginnings of the names of its settings; the first wins.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("broker", ("broker_", "control_")),
    (
        "results",
        (
            "result_", "cache_", "database_", "redis_", "cassandra_", "s3_", "azureblockblob_", "gcs_", "couchbase_",
            "arangodb_", "mongodb_", "cosmosdbsql_", "elasticsearch_",
        ),
    ),
    (
        "limits",
        (
            "task_soft_time_limit", "task_time_limit", "task_default_rate_limit", "worker_disable_rate_limits",
            "worker_max_", "worker_prefetch_", "worker_eta_task_limit", "worker_concurrency", "worker_autoscaler",
            "worker_disable_prefetch", "task_acks_", "task_reject_on_worker_lost", "task_annotations",
        ),
    ),
    ("serialisation", ("accept_content", "task_serializer", "task_compression", "task_protocol", "security_")),
    (
        "routing",
        ("task_queue", "task_routes", "task_default_", "task_create_missing_", "worker_direct",
         "worker_detect_quorum_queues"),
    ),
    ("events", ("event_", "worker_send_task_events", "task_send_sent_event", "task_track_started")),
    ("beat", ("beat_", "timezone", "enable_utc")),
    ("tasks", ("task_", "imports", "include")),
    ("worker", ("worker_",)),
)  # fmt: skip
OTHER = "other"
#: The names of all groups, in order.
GROUPS = (*(name for name, _beginnings in _GROUPS), OTHER)


def group_of(name: str) -> str:
    """A project's own settings are of OTHER."""
    return next((group for group, beginnings in _GROUPS if name.startswith(beginnings)), OTHER)
