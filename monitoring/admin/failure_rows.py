"""A group of failures as a row, and the addresses of the tasks that it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from .. import formatting
from ..queries.failure_details import Details
from ..queries.failures import Group, Window
from ..queries.search.printing import value_text
from ..queries.search.tree import Missing, Pattern
from .failure_words import Tag, meaning_of, tags

#: The box that bars are drawn in, and the height of the least of them.
WIDTH, HEIGHT, LEAST = 120, 24, 2


@dataclass(frozen=True)
class Row:
    """`bars` is the ``d`` of a path; `tasks` the query string of the list that has as many tasks; `function` the last
    part of the task's name; `meaning` what an exception of Celery's own means; `message` what the example said, for who
    may read it."""

    group: Group
    details: Details
    tags: list[Tag]
    bars: str
    tasks: str
    function: str
    meaning: str
    message: str


def row_of(group: Group, details: Details, window: Window) -> Row:
    return Row(
        group,
        details,
        tags(group),
        bars(details.bars),
        tasks_of(group, window),
        function=formatting.split_name(group.name)[1],
        meaning=meaning_of(group.exception_type),
        message=formatting.exception_parts(details.message)[1],
    )


def tasks_of(group: Group, window: Window) -> str:
    return urlencode([("fingerprint", group.fingerprint), ("finished", window.term)])


def tasks_raising(exception_type: str, window: Window, name: str = "") -> str:
    """Failed tasks of a window with an exception type; empty: those whose type is not known. Of one name, or all."""
    value = Pattern((exception_type,)) if exception_type else Missing()
    return urlencode(
        [
            ("state", "FAILURE"),
            *([("name", value_text("name", Pattern((name,))))] if name else []),
            ("exception_type", value_text("exception_type", value)),
            ("finished", window.term),
        ]
    )


def bars(counts: Sequence[int]) -> str:
    """Rectangles side by side, scaled to the greatest; what is not zero can be seen."""
    top = max(counts, default=0)
    if not top:
        return ""
    step = WIDTH / len(counts)
    shapes = []
    for place, count in enumerate(counts):
        if count:
            height = max(LEAST, round(count / top * HEIGHT, 1))
            shapes.append(f"M{place * step:.2f} {HEIGHT}v-{height}h{step * 0.75:.2f}v{height}z")
    return "".join(shapes)
