"""Frames: what has changed since any earlier one, within a bounded number of bytes. Pure.

Each row and each other part remembers the number (`seq`) of the frame that it last changed with. The frame for a socket
whose last one was `base` holds what has changed since; so a socket that was left out for a while needs no history, and
all that are up to date share one text.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Bytes of a frame; browsers, proxies and people's mobile networks take 64 KiB easily.
MAX_BYTES = 64 * 1024
#: Bytes that keys may take in the order of one list; an id has at most 255 characters.
MAX_ORDER_BYTES = 12_000
#: Bytes kept for everything but lists, and for what one list has beside order and rows.
_ENVELOPE, _MEMBERS = 8_000, 250


def encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Row:
    """A rendered row: `text` is its member of a JSON object, `size` the bytes of that."""

    version: Hashable
    text: str
    size: int
    seq: int


@dataclass(slots=True)
class Listing:
    """One list of a page. `tail` is what stands beside order and rows."""

    name: str
    order: list[str] = field(default_factory=list)
    #: Bytes that the order takes in a frame.
    order_size: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    tail: dict[str, Any] = field(default_factory=dict)
    #: When the order or the tail last changed.
    seq: int = 0
    #: Rows of the order that have changed and are not rendered yet.
    unrendered: int = 0

    def update(
        self,
        seq: int,
        order: Sequence[str],
        rendered: Mapping[str, tuple[Hashable, str]],
        tail: dict[str, Any],
        unrendered: int = 0,
    ) -> bool:
        """Take the order, and the rows that are new or have changed (their version and HTML); whether any did."""
        self.unrendered = unrendered
        kept, size = _within(order, MAX_ORDER_BYTES)
        if len(kept) < len(order) and tail.get("left_out") is not None:
            tail = {**tail, "left_out": tail["left_out"] + len(order) - len(kept)}
        changed = kept != self.order or tail != self.tail
        if changed:
            self.order, self.order_size, self.tail, self.seq = kept, size, tail, seq
        rows = {}
        for key in kept:
            if key in rendered:
                version, html = rendered[key]
                text = f"{encode(key)}:{encode(html)}"
                rows[key] = Row(version, text, len(text.encode()), seq)
                changed = True
            elif key in self.rows:
                rows[key] = self.rows[key]
        self.rows = rows
        return changed

    def member(self, base: int, seq: int, room: int) -> tuple[str, int, int]:
        """Its member of the object ``lists``, the bytes of that, and how many rows did not fit into `room` bytes.

        Those are marked as if they had changed with the next frame, which brings them.
        """
        new = [self.rows[key] for key in self.order if key in self.rows and base < self.rows[key].seq <= seq]
        if not new and self.seq <= base:
            return "", 0, 0
        head = f"{encode(self.name)}:{{"
        order = f'"order":{encode(self.order)},'
        size = self.order_size + _MEMBERS
        fit, late = [], 0
        for row in new:
            if size + row.size + 1 <= room:
                size += row.size + 1
                fit.append(row.text)
            else:
                row.seq = seq + 1
                late += 1
        tail = encode({**self.tail, "pending": late + self.unrendered})[1:]
        return f'{head}{order}"rows":{{{",".join(fit)}}},{tail}', size, late


class Frames:
    """The frames of one audience."""

    def __init__(self, names: Sequence[str]) -> None:
        self.seq = 0
        self.listings = {name: Listing(name) for name in names}
        #: Whether rows wait for the next frame.
        self.has_late_rows = False
        self._parts: dict[str, tuple[int, Any]] = {}
        self._head: dict[str, Any] = {}
        self._made: dict[int, str | None] = {}

    def known(self, name: str) -> Mapping[str, Row]:
        """The rows that are shown, so that only others are rendered."""
        return self.listings[name].rows

    def begin(self, seq: int, head: dict[str, Any]) -> None:
        """Begin the frame with this number, greater than all before; `head` is in it, whatever has changed."""
        self.seq, self._head = seq, head
        self.has_late_rows = False
        self._made.clear()

    def put(self, name: str, value: Any) -> None:
        """A part that is sent when it differs from the last one."""
        if name not in self._parts or self._parts[name][1] != value:
            self._parts[name] = (self.seq, value)

    def frame(self, base: int) -> str | None:
        """The text for a socket that has had the frame `base` (0: none); None: nothing has changed since."""
        if base not in self._made:
            self._made[base] = self._make(base)
        return self._made[base]

    def _make(self, base: int) -> str | None:
        parts = {name: value for name, (seq, value) in self._parts.items() if seq > base}
        head = {"type": "frame", "seq": self.seq, "full": base == 0, **self._head, **parts}
        room = MAX_BYTES - max(_ENVELOPE, len(encode(head).encode()) + 1_000)
        lists = []
        # Each order must find its place, however much the rows of the list before it take.
        reserved = sum(listing.order_size + _MEMBERS for listing in self.listings.values())
        for listing in self.listings.values():
            reserved -= listing.order_size + _MEMBERS
            text, size, late = listing.member(base, self.seq, room - reserved)
            room -= size
            self.has_late_rows |= bool(late)
            if text:
                lists.append(text)
        if not lists and not parts and base:
            return None
        text = encode(head)
        return f'{text[:-1]},"lists":{{{",".join(lists)}}}}}' if lists else text


def _within(order: Sequence[str], most: int) -> tuple[list[str], int]:
    """As many keys, from the first on, as take `most` bytes, and the bytes that they take."""
    kept, size = [], 0
    for key in order:
        more = len(encode(key).encode()) + 1
        if size + more > most:
            break
        size += more
        kept.append(key)
    return kept, size
