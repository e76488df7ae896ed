"""Shell patterns (``payments.*``, ``queue-?``, ``[ab]*``) as a database lookup with the meaning of fnmatch.fnmatchcase.

``queryset.filter(name__matches="payments.*")``. A pattern without a set becomes LIKE on PostgreSQL and GLOB on SQLite:
both use an index for the text before the first wildcard, since the columns are compared byte by byte. Neither matches
NULL.
"""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler

from ..models.fields import IdentifierField

_WILDCARDS = frozenset("*?[")
# A set as fnmatch reads it: "]" directly after the opening belongs to the set; an opening without an end is a letter.
_TOKEN = re.compile(r"(?s)\[(!?+)(\][^\]]*|[^\]]+)\]|(.)")


def is_pattern(text: str) -> bool:
    """Whether `text` has a wildcard, so that it is not simply a name."""
    return not _WILDCARDS.isdisjoint(text)


@cache
def translate(pattern: str) -> re.Pattern[str]:
    """The regular expression of fnmatch, compiled."""
    return re.compile(fnmatch.translate(pattern))


def literally(text: str) -> str:
    """The pattern that matches `text` alone, as glob.escape makes it."""
    return "".join(f"[{letter}]" if letter in _WILDCARDS else letter for letter in text)


def like(pattern: str) -> str | None:
    """The LIKE pattern (escape character: backslash), or None where there is a set of several letters, which LIKE does
    not know."""
    words = {"*": "%", "?": "_"}
    parts = []
    for match in _TOKEN.finditer(pattern):
        letter = match[3] or _only_member(match)
        if letter is None:
            return None
        parts.append(words.get(match[3]) or like_literal(letter))
    return "".join(parts)


def like_literal(text: str) -> str:
    """`text` for LIKE with a backslash as its escape character."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def regex(pattern: str) -> str:
    """An anchored regular expression of PostgreSQL."""
    words = {"*": ".*", "?": "."}
    parts = []
    for match in _TOKEN.finditer(pattern):
        if match[3] is not None:
            parts.append(words.get(match[3]) or re.escape(match[3]))
            continue
        members = _members(match[2])
        if not members:  # nothing is in an empty set; everything is in its complement
            parts.append("." if match[1] else "(?!)")
        else:
            inside = "".join(
                f"{_in_set(first)}-{_in_set(last)}" if first != last else _in_set(first)
                for first, last in members
            )
            parts.append(f"[{'^' if match[1] else ''}{inside}]")
    return f"^(?:{''.join(parts)})$"


def glob(pattern: str) -> str | None:
    """The GLOB pattern of SQLite, or None where there is a set of several letters: GLOB reads some otherwise."""
    parts = []
    for match in _TOKEN.finditer(pattern):
        letter = match[3] or _only_member(match)
        if letter is None:
            return None
        parts.append(
            f"[{letter}]" if letter == "[" or (match[3] is None and letter in _WILDCARDS) else letter
        )
    return "".join(parts)


def _only_member(match: re.Match[str]) -> str | None:
    """The letter of a set that holds just one: how a wildcard is written that is none."""
    return match[2] if not match[1] and len(match[2]) == 1 else None


def _members(text: str) -> list[tuple[str, str]]:
    """The ranges of a set; a single letter is a range of one. Ranges that run backwards are empty, as in fnmatch."""
    ranges, index = [], 0
    while index < len(text):
        if index + 2 < len(text) and text[index + 1] == "-":
            if text[index] <= text[index + 2]:
                ranges.append((text[index], text[index + 2]))
            index += 3
        else:
            ranges.append((text[index], text[index]))
            index += 1
    return ranges


def _in_set(letter: str) -> str:
    return f"\\{letter}" if letter in "\\]^-[" else letter


@IdentifierField.register_lookup
class Matches(Lookup):
    """``column__matches=<shell pattern>``."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        pattern = like(self.rhs)
        if pattern is not None:
            return f"{column} LIKE %s", [*params, pattern]
        return f"{column} ~ %s", [*params, regex(self.rhs)]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        pattern = glob(self.rhs)
        if pattern is not None:
            return f"{column} GLOB %s", [*params, pattern]
        # Django gives SQLite a REGEXP that is Python's own, so fnmatch's own expression can be used.
        return f"{column} REGEXP %s", [*params, translate(self.rhs).pattern.replace("(?s:", "(?s)^(?:", 1)]
