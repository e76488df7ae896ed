"""The results of bulk runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..models import BulkChunk, BulkRun, Task
from .visibility import Visibility


def results_of(run: BulkRun) -> Iterator[list[list[Any]]]:
    """The result of each task, ``[task id, outcome, words]``, a chunk at a time. Cost: an index, a row per chunk."""
    number = -1
    while True:
        chunk = BulkChunk.objects.filter(run=run, number__gt=number).order_by("number").first()
        if chunk is None:
            return
        yield chunk.results
        number = chunk.number


def names_of(visibility: Visibility, ids: Sequence[str]) -> dict[str, str]:
    """The names of those of the tasks that exist, may be seen and have one. Cost: their primary keys."""
    tasks = visibility.limit(Task.objects.filter(pk__in=ids)).exclude(name=None).order_by()
    return {str(key): str(name) for key, name in tasks.values_list("pk", "name")}
