"""JSON of the events that nearly all are with msgspec, of all others with the standard library. Pure.

The two must never differ in what is stored: an event's tie is a digest of its JSON, and may be made by the one at first
and by the other when the event is delivered again. So :func:`encode` is for texts, integers below 2**63, booleans, None
and floats that are PLAIN_FLOATS: the two write others in different ways.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

#: Positive floats from the first to below the second are written without an exponent, and so the same by all.
PLAIN_FLOATS = (1e-4, 1e15)

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_quickly = msgspec.json.Encoder(order="sorted").encode
# NaN and Infinity are no JSON, but Python's encoder writes them; as text they can be stored.
_decode = json.JSONDecoder(parse_constant=str).decode
#: Bytes of a list that is split; Celery's own groups are of 24 events.
LONGEST_SPLIT = 250_000
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def encode_any(value: Any) -> str:
    """Sorted keys and no spaces: the same fields give the same text. Raises ValueError for what is no JSON."""
    return _encode(value)


def parse_any(body: bytes | str) -> Any:
    """The value of `body`. Raises ValueError or RecursionError."""
    try:
        return _decode(body if isinstance(body, str) else body.decode())
    except ValueError:
        # Once more with everything that JSON may be: with a byte order mark, in UTF-16, with lone surrogates.
        return json.loads(body, parse_constant=str)


def split_group(body: bytes | str) -> list[bytes] | None:
    """The texts between the commas of a JSON list, whatever they are; None for what is no list, or is too long.

    For a list that no reader takes as a whole: one of its items is nested too deeply, is no UTF-8, or is a number of
    too many digits. A loop, since readers go down by recursion. Cost: half a second at most.
    """
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if len(data) > LONGEST_SPLIT:
        return None
    data = data.strip()
    if data[:1] != b"[" or data[-1:] != b"]":
        return None
    items, depth, begin = [], 0, 1
    for token in _TOKENS.finditer(data, 1, len(data) - 1):
        sign = token[0]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth < 0:
                return None
        elif sign == b"," and not depth:
            items.append(data[begin : token.start()].strip())
            begin = token.end()
    return None if depth else [*items, data[begin:-1].strip()]


def encode(value: Any) -> str:
    """As :func:`encode_any`, within the limits above."""
    return _quickly(value).decode()
