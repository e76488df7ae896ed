"""Where the trace of a task can be seen."""

from __future__ import annotations

from ...conf import monitoring_settings
from ...models import Task


def trace_url(task: Task) -> str:
    """Empty without a trace, or where settings do not say where traces are kept."""
    if not task.trace_id:
        return ""
    # What the merge lets in are 32 hexadecimal digits, which fit any address as they are.
    return monitoring_settings.TRACE_URL.replace("{trace_id}", task.trace_id)
