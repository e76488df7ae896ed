"""The grammar of the search box: text -> tree. Pure, total, and bounded.

    search  = or
    or      = and {"OR" and}
    and     = not {["AND"] not}            terms that stand side by side all have to hold
    not     = ("NOT" | "-") not | "(" or ")" | term
    term    = field ":" value {"," value} | word
    value   = text with "*" | bound | (">" | ">=" | "<" | "<=" | "=") bound | [bound] ".." [bound] | '""'

In long texts (args, result, ...) a comma is a comma. Quotes and the backslash take the meaning from every sign.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .fields import BY_NAME, Field, Kind
from .mistakes import Mistake, Stop
from .tree import And, Node, Not, Or, Term, Value
from .values import read_pattern, read_value
from .words import Letter, Token, letters_of, tokens

#: Characters of one search.
MAX_LENGTH = 2_000
#: Parentheses and negations within each other.
MAX_DEPTH = 20
#: Terms of one search, and values of one term.
MAX_TERMS = 50
MAX_VALUES = 50

_FIELD_NAME = re.compile(r"[A-Za-z_]+\Z")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Parsed:
    """The tree (None: nothing was asked, or it could not be read) or the first mistake."""

    tree: Node | None = None
    mistake: Mistake | None = None


def parse(text: str) -> Parsed:
    """Read a search. Never raises."""
    if len(text) > MAX_LENGTH:
        return Parsed(mistake=too_long(len(text)))
    try:
        return Parsed(_Reader(tokens(storable(text)), len(text)).read())
    except Stop as stop:
        return Parsed(mistake=stop.mistake)


def parse_values(name: str, texts: Sequence[str]) -> Term:
    """The term of a field whose values stand in parameters of a URL: blanks and parentheses need no quotes there.

    Raises Stop; `position` is then that within its parameter.
    """
    values: list[Value] = []
    for text in texts:
        if len(text) > MAX_LENGTH:
            raise Stop("length", too_long(len(text)).message, 0, len(text))
        values += _values(BY_NAME[name], letters_of(storable(text)), 0, len(text))
    return _term(BY_NAME[name], values, (0, 0))


def storable(text: str) -> str:
    """With U+FFFD for what no database keeps, so that places stay what they are."""
    return _UNSTORABLE.sub("\ufffd", text)


def too_long(length: int) -> Mistake:
    message = f"A search has at most {MAX_LENGTH:,} characters; this one has {length:,}."
    return Mistake("length", message, MAX_LENGTH, length - MAX_LENGTH)


class _Reader:
    """Recursive descent over the tokens of one search."""

    def __init__(self, found: list[Token], length: int) -> None:
        self._tokens = found
        self._end = length
        self._at = 0
        self._depth = 0
        self._terms = 0

    def read(self) -> Node | None:
        if not self._tokens:
            return None
        tree = self._or()
        if (token := self._peek()) is not None:
            raise Stop("parenthesis", "This parenthesis closes none.", token.start)
        return tree

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _sign(self) -> str | None:
        token = self._peek()
        return None if token is None else token.sign

    def _or(self) -> Node:
        children = [self._and()]
        while self._sign() == "OR":
            self._at += 1
            children.append(self._and())
        return children[0] if len(children) == 1 else Or(tuple(children))

    def _and(self) -> Node:
        children = [self._not()]
        while self._sign() not in (None, "OR", ")"):
            if self._sign() == "AND":
                self._at += 1
            children.append(self._not())
        return children[0] if len(children) == 1 else And(tuple(children))

    def _not(self) -> Node:
        token = self._peek()
        if token is None:
            raise Stop("unfinished", "Something is missing here: a word or a term.", self._end, 0)
        if token.sign in ("OR", "AND", ")"):
            raise Stop("operand", f"{token.sign} needs a term before it; in quotes it is a word.", token.start,
                       token.end - token.start)  # fmt: skip
        self._at += 1
        if not token.sign:
            return self._word(token)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Stop(
                "depth",
                f"At most {MAX_DEPTH} parentheses and NOTs may stand within each other.",
                token.start,
                token.end - token.start,
            )
        node = self._group(token) if token.sign == "(" else Not(self._not())
        self._depth -= 1
        return node

    def _group(self, opening: Token) -> Node:
        if self._sign() == ")":
            raise Stop("empty", "There is nothing between these parentheses.", opening.start, 2)
        node = self._or()
        if self._sign() != ")":
            raise Stop("parenthesis", "This parenthesis is not closed.", opening.start)
        self._at += 1
        return node

    def _word(self, token: Token) -> Term:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise Stop(
                "terms", f"A search has at most {MAX_TERMS} terms.", token.start, token.end - token.start
            )
        span = (token.start, token.end)
        name, rest = _split_field(token)
        if name is None:
            pattern = read_pattern(token.letters)
            if not any(pattern.pieces):
                raise Stop(
                    "empty", "There is nothing to look for here.", token.start, token.end - token.start
                )
            return Term("", (pattern,), span)
        return _term(BY_NAME[name], _values(BY_NAME[name], rest, token.start, token.end), span)


def _split_field(token: Token) -> tuple[str | None, tuple[Letter, ...]]:
    """The field that a word begins with (None: it is a bare word) and the letters behind the colon."""
    for index, letter in enumerate(token.letters):
        if letter.literal:
            break
        if letter.char == ":":
            written = "".join(before.char for before in token.letters[:index])
            if not _FIELD_NAME.match(written):
                break
            if written.lower() not in BY_NAME:
                raise Stop("field", _unknown(written), token.start, index)
            return written.lower(), token.letters[index + 1 :]
    return None, ()


def _unknown(written: str) -> str:
    near = difflib.get_close_matches(written.lower(), BY_NAME, n=1)
    hint = f"perhaps {near[0]} is meant." if near else "in quotes it is text to look for."
    return f"There is no field {written:.40}; {hint}"


def _values(field: Field, letters: Sequence[Letter], start: int, end: int) -> list[Value]:
    values: list[Value] = []
    part: list[Letter] = []
    parts = [part]
    for letter in letters:
        if letter.char == "," and not letter.literal and field.kind is not Kind.TEXT:
            part = []
            parts.append(part)
        else:
            part.append(letter)
    for part in parts:
        first = part[0].position if part else start
        last = part[-1].position + 1 if part else end
        value = read_value(part, field.kind, field.name, (first, max(1, last - first)))
        if value not in values:
            values.append(value)
    return values


def _term(field: Field, values: list[Value], span: tuple[int, int]) -> Term:
    if len(values) > MAX_VALUES:
        raise Stop("values", f"{field.name}: takes at most {MAX_VALUES} values.", span[0], span[1] - span[0])
    return Term(field.name, tuple(dict.fromkeys(values)), span)
