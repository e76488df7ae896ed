"""What real workers of Celery 5.7.0 answered, a worker for each pool, as they sent it: nothing is redacted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

#: The password that stands in many of them.
SECRET = "Xq7zw-K9-vF3p"
POOLS = ("prefork", "threads", "solo", "gevent")


def answers(pool: str) -> dict[str, Any]:
    """By kind. Only the prefork worker was asked for `registered`, `conf` and `report`."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "answers" / f"{pool}.json").read_text())
    return found


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["", "x [", "x [y]", "x [a=1 a=2]", "1e999", "9" * 30, "0001-01-01T00:00+14:00", "5MB", "settings ->"]
    )
)
#: Names that Celery has in its answers, so that hostile ones get deep.
_names = st.sampled_from(
    [
        "pool", "processes", "timeouts", "total", "autoscaler", "min", "max", "rusage", "maxrss", "uptime", "pid",
        "clock", "broker", "port", "name", "exchange", "queue_arguments", "request", "id", "args", "delivery_info",
        "eta", "time_start", "routing_key", "ok", "implementation", "prefetch_count", "max-concurrency",
    ]
)  # fmt: skip
#: JSON of any shape, most of it nearly what Celery says.
anything = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_names, inner, max_size=6)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=25,
)
