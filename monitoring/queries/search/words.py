"""Cuts a search into words and signs, with their places. Pure.

A letter behind a backslash or within quotes means itself; any other may be a sign (star, comma, ``>``). So that
``args:"a, b"`` and ``args:a\\,\\ b`` are the same, a word is kept as letters that each know which they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .mistakes import Stop

OPERATORS = ("AND", "OR", "NOT")


class Letter(NamedTuple):
    char: str
    literal: bool
    position: int


@dataclass(frozen=True)
class Token:
    """`sign` is one of ``( ) - AND OR NOT`` or empty for a word, whose letters are in `letters`."""

    sign: str
    start: int
    end: int
    letters: tuple[Letter, ...] = ()


def tokens(text: str) -> list[Token]:
    """Raises Stop for a quote that is not closed and a backslash at the end."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char.isspace():
            position += 1
        elif char in "()":
            found.append(Token(char, position, position + 1))
            position += 1
        elif char == "-" and _begins_something(text, position + 1):
            found.append(Token("-", position, position + 1))
            position += 1
        else:
            token = _word(text, position)
            found.append(token)
            position = token.end
    return found


def letters_of(text: str) -> tuple[Letter, ...]:
    """All of `text` as one word, in which blanks and parentheses need no quotes: a parameter of the URL."""
    letters, _ = _read(text, 0, whole=True)
    return letters


def _begins_something(text: str, position: int) -> bool:
    return position < len(text) and not text[position].isspace() and text[position] not in ")-"


def _word(text: str, start: int) -> Token:
    letters, end = _read(text, start, whole=False)
    word = "".join(letter.char for letter in letters)
    if word in OPERATORS and not any(letter.literal for letter in letters):
        return Token(word, start, end)
    return Token("", start, end, letters)


def _read(text: str, start: int, *, whole: bool) -> tuple[tuple[Letter, ...], int]:
    """Letters up to a blank or a parenthesis that the word itself did not open."""
    letters: list[Letter] = []
    position, quoted_from, opened = start, -1, 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            if position + 1 == len(text):
                raise Stop("backslash", "A backslash needs a letter behind it.", position)
            letters.append(Letter(text[position + 1], True, position))
            position += 2
            continue
        if char == '"':
            quoted_from = position if quoted_from < 0 else -1
            # An empty pair of quotes leaves a trace: it says "no value".
            letters.append(Letter("", True, position))
        elif quoted_from >= 0:
            letters.append(Letter(char, True, position))
        elif not whole and (char.isspace() or (char == ")" and not opened)):
            break
        else:
            opened += (char == "(") - (char == ")" and opened > 0)
            letters.append(Letter(char, False, position))
        position += 1
    if quoted_from >= 0:
        raise Stop("quote", "This quotation mark is not closed.", quoted_from)
    return tuple(letters), position
