"""A task's full arguments as one JSON text, ``[args, kwargs]``, and whether they are exactly what the task was given.

The text is ASCII. What JSON does not know is marked as kombu does it in messages: ``{"__type__": "date", "__value__":
"2026-11-23"}``. Workers make it (:mod:`monitoring.celery`), the consumer checks it again, and a rerun reads it. No
Django.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from typing import Any

from kombu.utils.json import JSONEncoder
from kombu.utils.json import loads as loads_typed

from .ingest.redaction import Redactor

#: Longest text that a worker sends, in characters, unless it was told otherwise.
MAX_LENGTH = 65_536
#: Lists and objects in each other that are read and sent. Python reads and writes JSON by recursion, here and in each
#: worker, which ends below its limit of 1,000 frames, however many of them are used already.
MAX_DEPTH = 200


class Standing(StrEnum):
    """What a text of arguments is worth. Only EXACT ones may be sent again without somebody who has looked."""

    EXACT = "exact"
    #: Some values were taken out: the text has marks in their place.
    REDACTED = "redacted"
    #: There is no text.
    TOO_LARGE = "too large"
    #: There is no text: something in them has no JSON that gives the same value back.
    NOT_JSON = "not JSON"


#: A text, or None where there is none, and its standing.
Written = tuple[str | None, Standing]

_encoder: Any = JSONEncoder(separators=(",", ":"), allow_nan=False)


def write(
    args: Any, kwargs: Any, redactor: Redactor, limit: int = MAX_LENGTH, *, came_as_json: bool = True
) -> Written:
    """The arguments of one task, without secrets. Cost: 10 µs where they are few.

    What came in a JSON message can be written as JSON again; of any other it is tried whether the same comes back.
    """
    given = [list(args), dict(kwargs)]
    try:
        text: str = _encoder.encode(given)
        if not came_as_json and not _is_same(loads_typed(text), given):
            return None, Standing.NOT_JSON
    except (TypeError, ValueError, RecursionError, OverflowError):
        return None, Standing.NOT_JSON
    return _limited(*_redacted(text, Standing.EXACT, redactor), limit)


def check(text: Any, standing: Any, redactor: Redactor, limit: int) -> Written:
    """What a worker sent, as it may be stored: nobody says that it was one of ours.

    Whether a text without secrets can be read at all is left to who reads it: nearly all never are.
    """
    if not isinstance(standing, str) or standing not in _STANDINGS:
        return None, Standing.NOT_JSON
    if not isinstance(text, str):
        return None, Standing.TOO_LARGE if standing == Standing.TOO_LARGE else Standing.NOT_JSON
    return _limited(*_redacted(text, Standing(standing), redactor), limit)


def read(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Args and kwargs as JSON has them, marks of types included. Raises ValueError."""
    return _as_pair(_parse(text, json.loads))


def read_typed(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Args and kwargs as the task was given them. Raises ValueError."""
    return _as_pair(_parse(text, _loads_typed))


def is_too_deep(value: Any, most: int = MAX_DEPTH) -> bool:
    """Whether a JSON value has more lists and objects in each other than `most`."""
    level = [value]
    for _depth in range(most + 1):
        containers = [each for each in level if isinstance(each, dict | list)]
        level = [
            child for each in containers for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not containers:
            return False
    return True


def _loads_typed(text: str, **options: Any) -> Any:
    return loads_typed(text, _loads=partial(json.loads, **options))


def _parse(text: str, loads: Any) -> Any:
    try:
        return loads(text, parse_constant=_refuse)
    except ValueError:
        raise
    except Exception as error:  # a mark of a type with something else behind it
        raise ValueError(f"not readable: {type(error).__name__}") from None


def _as_pair(value: Any) -> tuple[list[Any], dict[str, Any]]:
    match value:
        case [list() as args, dict() as kwargs] if not (is_too_deep(args) or is_too_deep(kwargs)):
            return args, kwargs
    raise ValueError("not a list of args and kwargs, or too deep")


def _redacted(text: str, standing: Standing, redactor: Redactor) -> Written:
    if text.isascii() and text.isprintable() and redactor.is_clean(text):
        return text, standing
    try:
        value = json.loads(text, parse_constant=_refuse)
        redacted = redactor.value(value)
        if redacted != value:
            standing = Standing.REDACTED
        return _encoder.encode(redacted), standing
    except (TypeError, ValueError, RecursionError):
        return None, Standing.NOT_JSON


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _limited(text: str | None, standing: Standing, limit: int) -> Written:
    return (None, Standing.TOO_LARGE) if text is not None and len(text) > limit else (text, standing)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal down to their types: a tuple is no list, and True is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(
            type(key) is str and _is_same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


_STANDINGS = frozenset(map(str, Standing))
