"""Places in arguments whose value is not known, since it was redacted or cut before it was stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..ingest.redaction import MARK, UNREADABLE

#: What :mod:`monitoring.ingest.text` writes where it cuts; no value of a task is taken for it.
_OUR_CUT = re.compile(r"… \[cut(?: from the middle)?: ")
#: What Celery's ``saferepr`` writes (celery/utils/saferepr.py). A value may end so by itself.
_ELLIPSIS = "..."


@dataclass(frozen=True)
class Unknown:
    """`path` is the place as one would write it, ``args[0]`` or ``card.number``; `text` is what stands there.

    `is_sure`: it is a mark of ours; else it may be a value that looks like a cut.
    """

    path: str
    text: str
    is_cut: bool
    is_sure: bool


def unknown_values(args: list[Any], kwargs: dict[str, Any]) -> list[Unknown]:
    """The places of redacted and cut values in arguments, in their order."""
    found = [place for number, value in enumerate(args) for place in unknown_in(value, f"args[{number}]")]
    return found + list(unknown_in(kwargs, ""))


def left_unknown(
    args: list[Any], kwargs: dict[str, Any], known_args: list[Any], known_kwargs: dict[str, Any]
) -> list[Unknown]:
    """The places in given arguments where the value has still to be put in. `known_...`: what was there before.

    What only looks like a cut is one where it stands as it stood before.
    """
    before = set(unknown_values(known_args, known_kwargs))
    return [place for place in unknown_values(args, kwargs) if place.is_sure or place in before]


def unknown_in(value: Any, path: str) -> Iterator[Unknown]:
    """Those in a value that stands at `path`: empty for the keyword arguments as a whole."""
    if isinstance(value, str):
        if MARK in value or UNREADABLE in value:
            yield Unknown(path, value, is_cut=False, is_sure=True)
        elif _OUR_CUT.search(value):
            yield Unknown(path, value, is_cut=True, is_sure=True)
        elif value.endswith(_ELLIPSIS):
            yield Unknown(path, value, is_cut=True, is_sure=False)
    elif isinstance(value, dict):
        for key, item in value.items():
            place = f"{path}.{key or '…'}" if path else key or "…"
            # The name of an argument may hold a mark as well.
            yield from unknown_in(key, place)
            yield from unknown_in(item, place)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from unknown_in(item, f"{path}[{number}]")
