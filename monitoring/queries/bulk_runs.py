"""The results of bulk runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..models import BulkChunk, BulkRun


def results_of(run: BulkRun) -> Iterator[list[list[Any]]]:
    """The result of each task, ``[task id, outcome, words]``, a chunk at a time. Cost: an index, a row per chunk."""
    number = -1
    while True:
        chunk = BulkChunk.objects.filter(run=run, number__gt=number).order_by("number").first()
        if chunk is None:
            return
        yield chunk.results
        number = chunk.number
