"""Which workers a page shows: by status, by queue, by a part of the name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

#: Longest text of one part, in characters.
MAX_TEXT = 255


class Listed(Protocol):
    """What is asked of a worker."""

    hostname: str
    online: bool
    queues: list[str] | None


@dataclass(frozen=True)
class WorkerFilter:
    """Every part narrows; an empty one does not. `status` is ``online`` or ``offline``, `text` a part of the name."""

    status: str = ""
    queue: str = ""
    text: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> WorkerFilter:
        """From the parameters ``status``, ``queue`` and ``q``; a status that is none is left out."""
        status = query.get("status", "")
        return cls(
            status if status in ("online", "offline") else "",
            query.get("queue", "")[:MAX_TEXT],
            query.get("q", "").strip()[:MAX_TEXT],
        )

    def __bool__(self) -> bool:
        return self != WorkerFilter()

    def matches(self, worker: Listed) -> bool:
        return (
            (not self.status or worker.online is (self.status == "online"))
            and (not self.queue or self.queue in (worker.queues or ()))
            and self.text.casefold() in worker.hostname.casefold()
        )


def queues_of(workers: Iterable[Listed]) -> list[str]:
    """Every queue that one of them consumes, by name."""
    return sorted({queue for worker in workers for queue in worker.queues or ()})
