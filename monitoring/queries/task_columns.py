"""THE table of a task's columns that the list can show and an export can have, in the order of an export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..models import Task


@dataclass(frozen=True)
class TaskColumn:
    """A field of :class:`~monitoring.models.Task`. `payload`: only for those who may view payloads. `fixed`: the list
    always has it."""

    name: str
    payload: bool = False
    fixed: bool = False

    @property
    def label(self) -> str:
        return str(getattr(Task._meta.get_field(self.name), "verbose_name", self.name))


TASK_COLUMNS: dict[str, TaskColumn] = {
    column.name: column
    for column in (
        TaskColumn("state", fixed=True),
        TaskColumn("name", fixed=True),
        TaskColumn("task_id"),
        TaskColumn("args", payload=True),
        TaskColumn("kwargs", payload=True),
        TaskColumn("exception_type"),
        TaskColumn("worker"),
        TaskColumn("queue"),
        TaskColumn("first_seen"),
        TaskColumn("sent_at"),
        TaskColumn("received_at"),
        TaskColumn("started_at"),
        TaskColumn("attempt_started_at"),
        TaskColumn("finished_at"),
        TaskColumn("updated_at"),
        TaskColumn("eta"),
        TaskColumn("expires"),
        TaskColumn("runtime"),
        TaskColumn("wait"),
        TaskColumn("retries"),
        TaskColumn("progress"),
        TaskColumn("root_id"),
        TaskColumn("parent_id"),
        TaskColumn("exchange"),
        TaskColumn("routing_key"),
        TaskColumn("sent_by"),
        TaskColumn("trace_id"),
        TaskColumn("result", payload=True),
        TaskColumn("exception", payload=True),
        TaskColumn("traceback", payload=True),
        TaskColumn("progress_message", payload=True),
    )
}

#: What the list shows to those who have chosen nothing.
FIRST_COLUMNS = (
    "state", "name", "task_id", "args", "exception_type", "worker", "queue", "first_seen", "runtime", "retries",
)  # fmt: skip


def known_columns(names: Iterable[str], *, with_payload: bool) -> list[str]:
    """Those of `names` that exist and that a reader may see, each once, in their order."""
    return [
        name
        for name in dict.fromkeys(names)
        if name in TASK_COLUMNS and (with_payload or not TASK_COLUMNS[name].payload)
    ]


def shown_columns(chosen: Iterable[str], *, with_payload: bool) -> list[str]:
    """What the list shows: the chosen columns in their order with the fixed ones, or FIRST_COLUMNS for no choice."""
    known = known_columns(chosen, with_payload=with_payload)
    if not known:
        return known_columns(FIRST_COLUMNS, with_payload=with_payload)
    return [name for name, column in TASK_COLUMNS.items() if column.fixed and name not in known] + known
