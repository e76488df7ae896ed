"""Where one value ends in text that may be cut anywhere: Python reprs, JSON, headers, source lines. Pure.

A text does not say who escaped it. repr() and JSON write a backslash as two, a repr within a repr as four, and saferepr
as one, so that the same quote behind two backslashes ends the string for the first, and is part of it for the second;
saferepr itself writes the end of a string that ends with a backslash as it writes a quote in a string. Where that
happens the value is measured in each reading.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .redaction_patterns import MARK

_STRING = re.compile(r"(?P<prefix>[bBrRuUfF]{0,2})(?P<quote>(?P<escapes>\\*+)[\"'])")
#: What may stand behind the quote that ends a string. A quote before anything else was not escaped: 'it's'.
_BEHIND_STRING = r"""(?=[\s,)\]}>:;&.\\'"|+%<]|\Z)"""
#: saferepr escapes nothing in bytes, so there only its own separators count.
_BEHIND_SAFEREPR = r"(?=, |,\)|: |[)\]}]|\Z)"
_ANOTHER_STRING = re.compile(r"\s*+\+?\s*+(?=[bBrRuUfF]{0,2}\\*+[\"'])")

# Tokens inside a value. A quote or bracket counts with the backslashes before it.
_BRACKETS_AND_QUOTES = r"(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<quote>(?<!\\)\\*+[\"'])"
_NESTED = re.compile(_BRACKETS_AND_QUOTES)
_ANGLE = re.compile(r"[<>]")
_ENDS = re.compile(r"""[\s,;)\]}>:&.\\'"]|\Z""")


class Extent(NamedTuple):
    """What ends a value: one that starts with a word, and one that starts with a quote or bracket."""

    bare: re.Pattern[str]
    closed: re.Pattern[str]
    #: Any closing bracket ends it, not only one that nothing of a value follows.
    strict: bool = False
    #: It has one line, except for what stands in brackets.
    line: bool = False
    #: Where it starts with a string, that is all of it.
    one_string: bool = False


def _until(stop: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<stop>{stop})|{_BRACKETS_AND_QUOTES}")


#: An item of a dict, list or tuple.
ITEM = Extent(_until(","), _until(r"[,\n]"), strict=True)
#: A keyword argument, a field of a dataclass, a query parameter, a variable of an environment.
ASSIGNED = Extent(
    _until(rf"""[\s;&]|,(?=\s|\Z|["']|[\w.-]{{1,64}}=|{re.escape(MARK)})"""),
    _until(r"[\s;&,]"),
)
#: An attribute in HTML or XML.
ATTRIBUTE = ASSIGNED._replace(one_string=True)
#: An assignment in source code or a settings file, with spaces around the sign.
STATEMENT = Extent(_until(r"[\r\n]"), _until(r"[\r\n]"), line=True)
HEADER = STATEMENT._replace(one_string=True)
#: Backslashes before the quotes of a string that stands in others; more come from no encoder.
MAX_ESCAPES = 63
#: The longest reading of a string: only a quote with no more backslashes than the opening one ends it.
_LONGEST = 0
#: saferepr's strings that end with a backslash: any quote with one of its separators behind it ends a string.
_SEPARATED = -1
#: How many characters one backslash was written as, by nesting of repr() or JSON.
_NESTED_REPRS = (1, 2, 4, 8)
_READ_IN_SEVERAL_WAYS = re.compile(rf"""\\\\["']|\\["']{_BEHIND_SAFEREPR}""")


class Measured(NamedTuple):
    """The end of a value in the reading in which it is the shortest, and in which it is the longest."""

    shortest: int
    longest: int


def measure(text: str, start: int, limit: int, extent: Extent) -> Measured:
    """How far the value that starts at `start` goes; nothing behind `limit` belongs to it."""
    end = _Value(text, limit, _LONGEST).end(start, extent)
    if end == limit or not _READ_IN_SEVERAL_WAYS.search(text, start, end):
        return Measured(end, end)
    readings = (_SEPARATED, *_NESTED_REPRS)
    ends = [end, *(_Value(text, limit, reading).end(start, extent) for reading in readings)]
    return Measured(min(ends), max(ends))


class _Value:
    def __init__(self, text: str, limit: int, reading: int) -> None:
        self._text = text
        self._limit = limit
        self._reading = reading

    def end(self, start: int, extent: Extent) -> int:
        """The end of the value that starts at `start`; `start` where there is none, `limit` for one that was cut."""
        text, limit = self._text, self._limit
        position, finished = start, False
        tokens = extent.bare
        if _STRING.match(text, start, limit):
            position, finished = self._strings(start, limit)
            finished = finished or extent.one_string
            tokens = extent.closed
        elif text.startswith("<", start, limit):
            position = self._angled(start)
        elif text.startswith(("(", "[", "{"), start, limit):
            position, finished = self._nested(start)
            tokens = extent.closed
        line_end = -1
        while not finished:
            token = tokens.search(text, position, limit)
            if token is None:
                return limit
            if token["stop"] is not None:
                return token.start()
            if token["open"] is not None:
                position, finished = self._nested(token.start())
            elif token["close"] is not None:
                if extent.strict or _ENDS.match(text, token.end(), limit):
                    return token.start()
                position = token.end()
            elif self._opens(token.start(), start):
                if extent.line and line_end < token.start():
                    line_end = text.find("\n", token.start(), limit)
                    line_end = limit if line_end < 0 else line_end
                position, finished = self._strings(token.start(), line_end if extent.line else limit)
            elif _ENDS.match(text, token.end(), limit):
                return token.start()  # the end of the string that all this stands in
            else:
                position = token.end()
        return position

    def _nested(self, start: int) -> tuple[int, bool]:
        """Behind the bracket that closes the one at `start`, and whether the value has to end there."""
        position, depth = start, 0
        while token := _NESTED.search(self._text, position, self._limit):
            position = token.end()
            if token["open"] is not None:
                depth += 1
            elif token["close"] is not None:
                depth -= 1
                if depth == 0:
                    return position, False
            elif self._opens(token.start(), start):
                position, finished = self._strings(token.start(), self._limit)
                if finished:
                    return position, True
        return self._limit, True

    def _angled(self, start: int) -> int:
        """Behind `<Something at 0x7f>`."""
        depth = 0
        for token in _ANGLE.finditer(self._text, start, self._limit):
            depth += 1 if token.group() == "<" else -1
            if depth == 0:
                return token.end()
        return self._limit

    def _opens(self, quote: int, start: int) -> bool:
        """Whether a string may begin with the quote at `quote`: one behind a word, as in `it's`, begins none."""
        text = self._text
        before = quote
        while before > start and quote - before < 2 and text[before - 1] in "bBrRuUfF":
            before -= 1
        return before == start or text[before - 1] in "([{,=:+%<> \t\n"

    def _strings(self, start: int, limit: int) -> tuple[int, bool]:
        """Behind the string that starts at `start` and those joined to it; whether the value has to end there."""
        position = start
        while match := _STRING.match(self._text, position, limit):
            position, finished = self._string(match, limit)
            if finished:
                return position, True
            another = _ANOTHER_STRING.match(self._text, position, limit)
            if not another:
                break
            position = another.end()
        return position, False

    def _string(self, opening: re.Match[str], limit: int) -> tuple[int, bool]:
        """Behind one string, and whether a text that it stands in ended before it did.

        That is so where a quote has fewer backslashes before it than the opening one.
        """
        quote, escapes = opening["quote"][-1], len(opening["escapes"])
        start = opening.end()
        if escapes > MAX_ESCAPES:
            return limit, True
        if not escapes and self._text.startswith(quote * 2, start):
            triple = self._text.find(quote * 3, start + 2, limit)
            return (triple + 3, False) if triple >= 0 else (limit, True)
        is_bytes = "b" in opening["prefix"].lower() and quote == "'" and not escapes
        closing = _closing(quote, escapes, self._reading, is_bytes).search(self._text, start, limit)
        if closing is None:
            return limit, True
        if len(closing["escapes"]) < escapes:
            return closing.start(), True
        return closing.end(), False


def opening_quote(text: str, start: int) -> str:
    """The quote of the string that starts at `start`, with the backslashes before it; "" where none does."""
    match = _STRING.match(text, start)
    return match["quote"] if match else ""


@lru_cache(maxsize=512)
def _closing(quote: str, escapes: int, reading: int, is_bytes: bool) -> re.Pattern[str]:
    behind = _BEHIND_SAFEREPR if is_bytes else _BEHIND_STRING
    before = rf"\\{{0,{escapes}}}"
    if reading == _SEPARATED:
        before, behind = r"\\*+", _BEHIND_SAFEREPR
    elif reading != _LONGEST:  # also behind pairs of the string's own backslashes
        before = rf"\\{{{escapes}}}(?:\\{{{2 * reading}}})++|{before}"
    return re.compile(rf"(?<!\\)(?P<escapes>{before}){quote}{behind}")
