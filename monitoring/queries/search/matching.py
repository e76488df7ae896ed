"""What a pattern matches, for one text in memory: the meaning that the database's conditions have to have. Pure."""

from __future__ import annotations

import re
import string
from functools import lru_cache

from .tree import Pattern

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole of a name matches; case counts."""
    return _expression(pattern).fullmatch(text) is not None


def holds(pattern: Pattern, text: str) -> bool:
    """Whether a text has the pieces in their order anywhere; the case of A to Z does not count, that of others does."""
    position, text = 0, text.translate(_LOWER)
    for piece in pattern.pieces:
        found = text.find(piece.translate(_LOWER), position)
        if found < 0:
            return False
        position = found + len(piece)
    return True


@lru_cache(maxsize=256)
def _expression(pattern: Pattern) -> re.Pattern[str]:
    return re.compile("(?s:.*)".join(map(re.escape, pattern.pieces)))
