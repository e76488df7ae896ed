"""What a page may say to its socket. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

#: Longest message in bytes.
MAX_BYTES = 8 * 1024


class BadMessage(ValueError):
    """A message that no page of ours sends."""


@dataclass(frozen=True)
class Ack:
    """The frame `seq` has been applied."""

    seq: int


@dataclass(frozen=True)
class Filter:
    """Show this instead."""

    query: str


@dataclass(frozen=True)
class Pause:
    """Send no frames."""


@dataclass(frozen=True)
class Resume:
    """Send frames again."""


@dataclass(frozen=True)
class Refresh:
    """Send a full frame."""


Message = Ack | Filter | Pause | Resume | Refresh


def parse(text: str | None) -> Message:
    """The message in a text frame (None: it was binary). Raises :class:`BadMessage`."""
    if text is None or len(text) > MAX_BYTES:
        raise BadMessage("not a text of at most 8 KB")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("not JSON") from error
    match said:
        case {"type": "ack", "seq": int(seq)} if not isinstance(seq, bool):
            return Ack(seq)
        case {"type": "filter", "query": str(query)}:
            return Filter(query)
        case {"type": "pause"}:
            return Pause()
        case {"type": "resume"}:
            return Resume()
        case {"type": "refresh"}:
            return Refresh()
    raise BadMessage("no message that is known")
