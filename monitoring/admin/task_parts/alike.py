"""Ways from a task to others like it in the list: the same task, exception, worker, queue."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from ...models import Task
from ...queries.search.printing import value_text
from ...queries.search.tree import Pattern


@dataclass(frozen=True)
class Alike:
    """`words`: what is the same; `query`: the query string of the list; `value`: for the title."""

    words: str
    query: str
    value: str


def others_alike(task: Task) -> list[Alike]:
    """What is known of the task, most telling first. Asks nothing."""
    name, exception = ("name", task.name), ("exception_type", task.exception_type)
    ways = (
        (_("same task and exception"), (name, exception)),
        (_("same task"), (name,)),
        (_("same exception"), (exception,)),
        (_("same worker"), (("worker", task.worker),)),
        (_("same queue"), (("queue", task.queue),)),
    )
    return [
        Alike(
            words,
            urlencode([(field, value_text(field, Pattern((value or "",)))) for field, value in same]),
            ", ".join(value or "" for _field, value in same),
        )
        for words, same in ways
        if all(value for _field, value in same)
    ]
