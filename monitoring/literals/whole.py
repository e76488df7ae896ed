"""The JSON value of a repr, where the text proves that it is the whole value. Pure, and nothing is evaluated.

Celery's ``saferepr`` (celery/utils/saferepr.py) cuts at a length and below a depth, writes an ellipsis there, and
escapes quotes but no backslash, so that a text with a backslash has two readings. ``ast.literal_eval`` reads
``[{...}, 1]`` as a list, too.
"""

from __future__ import annotations

import math
import re
from typing import Any

from .tree import Kind, Node, read

#: Reprs of this length may have been cut; the limit of Celery's is 1,024 (``app.amqp.argsrepr_maxsize``).
MAX_LENGTH = 1_000

#: Traces of a cut, of redaction, or of somebody who gave Celery a repr that hides something.
_DOUBTFUL = re.compile(
    r"\.\.\.|…|\\|\[redacted|\*\*\*|xxxx|####|redacted|hidden|masked|filtered|censored|sanitized",
    re.IGNORECASE,
)
_INTEGER = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_WORDS = {"True": True, "False": False, "None": None}


class NotWhole(ValueError):
    """The text does not prove what the value was."""


def whole_args(text: str) -> list[Any]:
    """The positional arguments of which `text` is the repr. Raises NotWhole."""
    node = _read(text)
    if node.kind not in (Kind.TUPLE, Kind.LIST):
        raise NotWhole
    return [_value(child) for child in node.children]


def whole_kwargs(text: str) -> dict[str, Any]:
    """The keyword arguments of which `text` is the repr. Raises NotWhole."""
    node = _read(text)
    if node.kind is not Kind.DICT:
        raise NotWhole
    return _dict(node)


def _read(text: str) -> Node:
    if len(text) >= MAX_LENGTH or _DOUBTFUL.search(text):
        raise NotWhole
    node = read(text)
    if node is None:
        raise NotWhole
    return node


def _value(node: Node) -> Any:
    match node.kind:
        case Kind.STRING:
            return _string(node.text)
        case Kind.NUMBER:
            return _number(node.text)
        case Kind.WORD if node.text in _WORDS:
            return _WORDS[node.text]
        case Kind.LIST:
            return [_value(child) for child in node.children]
        case Kind.DICT:
            return _dict(node)
    raise NotWhole  # a tuple, a set, an object: JSON would make something else of it


def _dict(node: Node) -> dict[str, Any]:
    found = {_string(child.key): _value(child) for child in node.children}
    if len(found) != len(node.children):
        raise NotWhole
    return found


def _string(text: str) -> str:
    inside = text[1:-1]
    if len(text) < 2 or text[0] != "'" or text[-1] != "'" or "'" in inside:
        raise NotWhole
    return inside


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    if not math.isfinite(number):
        raise NotWhole
    return number
