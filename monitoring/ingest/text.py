"""Text in a form that every database takes: no NUL, no lone surrogate, of bounded length. Pure.

PostgreSQL refuses U+0000 in ``text`` and in ``jsonb``, no driver can encode a lone surrogate as UTF-8, and ``jsonb``
knows neither NaN nor Infinity. A task can put all of them into its arguments or its result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import chain
from typing import Any

#: Levels of nesting that are kept; deeper ones are replaced by a note.
MAX_DEPTH = 32
#: Items of lists and dicts that one value keeps, over all levels.
MAX_ITEMS = 10_000
#: A value of several long texts may hold this many times the limit of one text, so that the small ones survive.
TOTAL_LIMIT_FACTOR = 4
#: An int beyond this many bits (about 1,200 digits) is no figure: Python's own encoder gives up at 4,300 digits.
MAX_INT_BITS = 4_096

#: What :func:`storable` puts at the end of a text that it has cut.
CUT_MARK = re.compile(r"… \[cut: [0-9,]+ characters\]\Z")
#: What stands in a line of its own where the middle of a traceback was cut out, behind the margin of a group's member.
MIDDLE_MARK = re.compile(r"^[ |]*  … \[cut from the middle: (?P<number>[0-9,]+) characters\]$", re.MULTILINE)
TOO_DEEP = "… [cut: nested too deeply]"
#: The longest mark: that of a text of 2**63 characters.
MAX_MARK_LENGTH = len(f"… [cut: {2**63:,} characters]")

_NUL = "\0"
_SYMBOL_FOR_NULL = "\u2400"
_REPLACEMENT = "\ufffd"
_FRAME = re.compile(r'^(?P<margin>(?: +\| )?)  File "', re.MULTILINE)
_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: str, limit: int) -> str:
    """`text` without NUL (shown as U+2400) and lone surrogates (U+FFFD), and of at most `limit` characters plus a mark.

    The mark says how many characters there were: ``… [cut: 10,485,760 characters]``.
    """
    length = len(text)
    if length > limit:
        return f"{_clean(text[:limit])}… [cut: {length:,} characters]"
    if text.isascii() and _NUL not in text:  # nearly every text: two scans at the speed of memchr
        return text
    return _clean(text)


def ends_of_traceback(text: str, limit: int) -> tuple[str, str, str] | None:
    """A traceback of more than `limit` characters without its middle: its beginning, the mark, and its end, both
    :func:`storable`; None for any other text.

    What was raised, and where, stands at the end. That begins with a whole frame, so that no secret of the middle
    reaches into it unrecognised: redact the two apart.
    """
    if len(text) <= limit:
        return None
    from_end = len(text) - limit * 3 // 4
    frame = _FRAME.search(text, text.find("\n", from_end) + 1)
    head = text.rfind("\n", 0, limit // 4) + 1
    if frame is None or not head or frame.start() < from_end:
        return None
    mark = f"{frame['margin']}  … [cut from the middle: {frame.start() - head:,} characters]\n"
    return _clean(text[:head]), mark, _clean(text[frame.start() :])


def storable_json(value: Any, limit: int) -> Any:
    """A JSON value (dict, list, str, int, float, bool, None) whose every text and key is :func:`storable`.

    Numbers that JSON does not know become text. What is nested deeper than MAX_DEPTH, beyond MAX_ITEMS items or beyond
    ``TOTAL_LIMIT_FACTOR * limit`` characters in all is left out and a note in its place says so. A flat value that
    needs nothing of this is returned as it is, not copied.
    """
    if _is_storable(value, limit):
        return value
    return _Rebuilder(limit).rebuild(value, MAX_DEPTH)


def _clean(text: str) -> str:
    if _NUL in text:
        text = text.replace(_NUL, _SYMBOL_FOR_NULL)
    if text.isascii():
        return text
    try:
        text.encode()  # three times as fast as a search for surrogates
    except UnicodeEncodeError:
        return _SURROGATES.sub(_REPLACEMENT, text)
    return text


def _is_storable(value: Any, limit: int) -> bool:
    """Whether there is nothing to do, for the shapes that nearly all values have: a scalar, a flat dict or list."""
    parts: Iterable[Any]
    if isinstance(value, dict):
        if len(value) > MAX_ITEMS or not all(type(key) is str for key in value):
            return False
        parts = chain(value, value.values())
    elif isinstance(value, list):
        if len(value) > MAX_ITEMS:
            return False
        parts = value
    else:
        parts = (value,)
    characters = 0
    for part in parts:
        kind = type(part)
        if kind is str:
            length = len(part)
            characters += length
            if length > limit or not part.isascii() or _NUL in part:
                return False
        elif kind is int:
            if part.bit_length() > MAX_INT_BITS:
                return False
        elif kind is float:
            if not math.isfinite(part):
                return False
        elif part is not None and kind is not bool:
            return False
    return characters <= TOTAL_LIMIT_FACTOR * limit


class _Rebuilder:
    """Copies one value within its limits."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._characters = TOTAL_LIMIT_FACTOR * limit
        self._items = MAX_ITEMS

    def rebuild(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            size = value.bit_length()
            return value if size <= MAX_INT_BITS else f"… [cut: an integer of {size:,} bits]"
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if not isinstance(value, dict | list | tuple):
            return self._text(f"<{type(value).__name__}>")
        if depth <= 0:
            return TOO_DEEP
        return self._dict(value, depth) if isinstance(value, dict) else self._list(value, depth)

    def _text(self, text: str) -> str:
        kept = storable(text, max(0, min(self._limit, self._characters)))
        self._characters -= len(kept)
        return kept

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        rebuilt: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items()):
            if self._items <= 0:
                rebuilt["…"] = _left_out(len(value) - number)
                break
            self._items -= 1
            name = self._text(key if isinstance(key, str) else str(self.rebuild(key, 0)))
            if name in rebuilt:  # two keys that differ only in what was replaced or cut
                name = f"{name} ({number})"
            rebuilt[name] = self.rebuild(item, depth - 1)
        return rebuilt

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        rebuilt: list[Any] = []
        for number, item in enumerate(value):
            if self._items <= 0:
                rebuilt.append(_left_out(len(value) - number))
                break
            self._items -= 1
            rebuilt.append(self.rebuild(item, depth - 1))
        return rebuilt


def _left_out(count: int) -> str:
    return f"… [cut: {count:,} more]"
