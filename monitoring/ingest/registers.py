"""THE table of merge rules. The fold, both stores and the model's columns follow it.

A row is a join semilattice: a product of registers, each of which keeps the event with the greatest key and carries
that event's payload, and of extremes, each of which keeps a least or greatest value. Joining two rows takes the greater
of each. That is commutative, associative and idempotent, so any order, duplication and batching of the same events
gives the same row.

The key of an event is the pair (microseconds since the epoch, tie), where the tie is a digest of all that the event
says: two different events never have the same key, and one event delivered twice always has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Register:
    """The newest event of some kinds, in the columns ``<name>_ts``, ``<name>_tie`` and one for each payload field.

    `kinds` are event kinds; `fields` maps a column to the event's value that it carries.
    """

    name: str
    kinds: tuple[str, ...]
    fields: dict[str, str]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return (f"{self.name}_ts", f"{self.name}_tie", *self.fields)


@dataclass(frozen=True)
class Extreme:
    """The least or greatest of one value over the events of some kinds; no kinds: over all of them."""

    column: str
    largest: bool
    source: str = "ts"
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """The merge rules of one table: its key column, its extremes and its registers."""

    key: str
    extremes: tuple[Extreme, ...]
    registers: tuple[Register, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rules fill, in the order that rows are flattened in; the key comes first."""
        return (
            self.key,
            *(extreme.column for extreme in self.extremes),
            *(column for register in self.registers for column in register.columns),
        )


# "requeued" and "rejected" are both Celery's task-rejected, told apart by its field `requeue` (decoding.py).
TASK_RULES = Rules(
    key="task_id",
    extremes=(
        Extreme("retries", largest=True, source="retries", kinds=("task-sent", "task-received")),
        Extreme("first_seen", largest=False),
        Extreme("updated_at", largest=True),
        Extreme("sent_at", largest=False, kinds=("task-sent",)),
        Extreme("received_at", largest=False, kinds=("task-received",)),
        Extreme("started_at", largest=False, kinds=("task-started",)),
    ),
    registers=(
        # By time alone, so that `self.replace()` renames and a task sent again by hand gets its new arguments.
        Register(
            "info",
            ("task-sent", "task-received"),
            {
                "name": "name",
                "args": "args",
                "kwargs": "kwargs",
                "root_id": "root_id",
                "parent_id": "parent_id",
                "eta": "eta",
                "expires": "expires",
            },
        ),
        Register(
            "sent",
            ("task-sent",),
            {"exchange": "exchange", "routing_key": "routing_key", "sent_by": "worker"},
        ),
        # "queue-told" and "arguments-told" are a task-received that says so, by the plug-in for workers (fields.py).
        Register("route", ("task-sent", "queue-told"), {"queue": "queue"}),
        Register(
            "full",
            ("arguments-told",),
            {"arguments": "arguments", "arguments_are": "arguments_are", "workflow": "workflow"},
        ),
        # "trace-told" is such a receipt too.
        Register("trace", ("trace-told",), {"trace_id": "trace_id"}),
        Register("received", ("task-received",), {"received_worker": "worker"}),
        Register("start", ("task-started",), {"start_worker": "worker"}),
        Register(
            "retry",
            ("task-retried", "task-cancelled"),
            {
                "retry_worker": "worker",
                "retry_exception": "exception",
                "retry_exception_type": "exception_type",
                "retry_traceback": "traceback",
            },
        ),
        Register(
            "success",
            ("task-succeeded",),
            {"success_worker": "worker", "result": "result", "success_runtime": "runtime"},
        ),
        Register(
            "failure",
            ("task-failed",),
            {
                "failure_worker": "worker",
                "failure_exception": "exception",
                "failure_exception_type": "exception_type",
                "failure_traceback": "traceback",
                "failure_place": "place",
            },
        ),
        Register(
            "revoke",
            ("task-revoked",),
            {"revoke_worker": "worker", "terminated": "terminated", "signum": "signum", "expired": "expired"},
        ),
        Register("reject", ("rejected",), {"reject_worker": "worker"}),
        Register("requeue", ("requeued",), {"requeue_worker": "worker"}),
        Register(
            "progress",
            ("task-progress",),
            {
                "progress": "progress",
                "progress_current": "current",
                "progress_total": "total",
                "progress_message": "message",
            },
        ),
    ),
)

WORKER_RULES = Rules(
    key="hostname",
    extremes=(Extreme("first_seen", largest=False),),
    registers=(
        Register(
            "beat",
            ("worker-online", "worker-heartbeat"),
            {"pid": "pid", "clock": "clock", "software": "software"},
        ),
        # A heartbeat that was asked for by remote control says freq=5 and no figures: it must not overwrite these.
        Register(
            "load",
            ("worker-measured",),
            {"frequency": "freq", "active": "active", "processed": "processed", "load_average": "loadavg"},
        ),
        Register("start", ("worker-online",), {}),
        Register("stop", ("worker-offline",), {}),
        # No event writes this one: upkeep puts the key of the last heartbeat in it when no other came in time.
        Register("silent", (), {}),
    ),
)
