"""From the text of a value to a tree of its parts. Pure, linear, and nothing is evaluated.

Celery's events carry ``saferepr`` of arguments and ``repr`` of results (celery/utils/saferepr.py): a Python literal in
most cases, with other objects' reprs in it, cut at a length and below a depth. Redaction puts its mark where a value
was. Each leaf keeps the text that it has there: a tree shows what was sent and no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from ..ingest.redaction import MARK

#: Longest text that is read, in characters, nodes of a tree, and levels of nesting.
MAX_CHARACTERS = 200_000
MAX_NODES = 5_000
MAX_DEPTH = 40

#: What stands behind a value. Celery's own strings escape no backslash, so that this tells where one ends.
_STRING = re.compile(
    r"""(?P<prefix>[bBrRuU]{0,2})(?P<quote>["'])(?P<inside>(?:[^\\"']|\\.|(?!(?P=quote))["'])*+)(?P=quote)"""
    r"""(?=\s*(?:[,:)\]}]|\Z))""",
    re.DOTALL,
)
_NUMBER = re.compile(
    r"[+-]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?j?|inf|nan)(?=\s*(?:[,:)\]}]|\Z))", re.IGNORECASE
)
_WORD = re.compile(r"(?:True|False|None|true|false|null)(?=\s*(?:[,:)\]}]|\Z))")
_CUT = re.compile(r"[\w+.-]{0,64}?\.\.\.(?=\s*(?:[,:)\]}]|\Z))")  # also the number that saferepr cut: 226...
_NAME = re.compile(r"(?:[^\W\d]\w*\.){0,10}[^\W\d]\w*(?=\()")
_COMMA = re.compile(r"\s*,(?:\s*,(?=\s*\.\.\.))?")
_SPACE = re.compile(r"\s*")
_PARTS = re.compile(r"""[()\[\]{}<>]|["']""")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_ELLIPSIS = "..."


class Kind(StrEnum):
    """What a node is; the first four have parts."""

    DICT = "dict"
    LIST = "list"
    TUPLE = "tuple"
    SET = "set"
    STRING = "string"
    NUMBER = "number"
    WORD = "word"  # True, None, null
    OBJECT = "object"  # another object's repr: Decimal('1.50'), <Order: 5>
    REDACTED = "redacted"
    CUT = "cut"  # "...", where whoever printed the value left something out


@dataclass
class Node:
    """A value: `text` as it stands there, `key` of its dict as it stands there, `children` in their order."""

    kind: Kind
    text: str
    key: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def opening(self) -> str:
        return {Kind.DICT: "{", Kind.SET: "{", Kind.LIST: "[", Kind.TUPLE: "("}.get(self.kind, "")

    @property
    def closing(self) -> str:
        return _CLOSING.get(self.opening, "")

    @property
    def is_cut(self) -> bool:
        """Whether whoever printed it left something out of it, or of a part of it."""
        if self.kind is Kind.STRING:
            return self.text[:-1].endswith(_ELLIPSIS)
        return self.kind is Kind.CUT or any(child.is_cut for child in self.children)


class _NoLiteral(Exception):
    """The text is not understood: it is shown as it is."""


def read(text: str) -> Node | None:
    """The tree of a text that is one value, or None where it is none, or too long or deep for a tree."""
    if len(text) > MAX_CHARACTERS:
        return None
    reader = _Reader(text)
    try:
        node = reader.value(0)
        return node if reader.at_end() else None
    except _NoLiteral:
        return None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._nodes = 0

    def at_end(self) -> bool:
        self._skip()
        return self._position == len(self._text)

    def value(self, depth: int) -> Node:
        self._skip()
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise _NoLiteral
        text, start = self._text, self._position
        if text.startswith(MARK, start):
            return self._leaf(Kind.REDACTED, start + len(MARK))
        for kind, pattern in (
            (Kind.STRING, _STRING),
            (Kind.CUT, _CUT),
            (Kind.NUMBER, _NUMBER),
            (Kind.WORD, _WORD),
        ):
            match = pattern.match(text, start)
            if match:
                redacted = kind is Kind.STRING and match["inside"] == MARK
                return self._leaf(Kind.REDACTED if redacted else kind, match.end())
        if text.startswith(("(", "[", "{"), start):
            return self._container(depth)
        name = _NAME.match(text, start)
        if name or text.startswith("<", start):
            return self._leaf(Kind.OBJECT, self._end_of_object(name.end() if name else start))
        raise _NoLiteral

    def _leaf(self, kind: Kind, end: int) -> Node:
        start, self._position = self._position, end
        return Node(kind, self._text[start:end])

    def _container(self, depth: int) -> Node:
        start = self._position
        bracket = self._text[start]
        self._position += 1
        children: list[Node] = []
        is_dict, parted = False, True
        while not self._takes(_CLOSING[bracket]):
            if not parted:
                raise _NoLiteral
            child = self.value(depth + 1)
            if bracket == "{" and self._takes(":"):
                is_dict, key = True, child.text
                child = self.value(depth + 1)
                child.key = key
            children.append(child)
            parted = self._takes_comma()
        kind = {"[": Kind.LIST, "(": Kind.TUPLE}.get(bracket)
        if kind is None:
            kind = Kind.DICT if is_dict or not children else Kind.SET
        return Node(kind, self._text[start : self._position], children=children)

    def _takes_comma(self) -> bool:
        # Where saferepr stops between two items it writes "1, , ...".
        match = _COMMA.match(self._text, self._position)
        if match:
            self._position = match.end()
        return match is not None

    def _takes(self, character: str) -> bool:
        self._skip()
        found = self._text.startswith(character, self._position)
        if found:
            self._position += 1
        return found

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._position)
        assert match is not None
        self._position = match.end()

    def _end_of_object(self, start: int) -> int:
        """Behind the bracket that closes the one at `start`. Quotes need not pair in an object's repr."""
        opened: list[str] = []
        position = start
        while match := _PARTS.search(self._text, position):
            part, position = match.group(), match.end()
            if part in "\"'" and opened and opened[-1] != "<":
                string = _STRING.match(self._text, match.start())
                if string is None:
                    raise _NoLiteral
                position = string.end()
            elif part in "([{<":
                opened.append(part)
            elif opened and {**_CLOSING, "<": ">"}[opened[-1]] == part:
                opened.pop()
                if not opened:
                    return position
        raise _NoLiteral
