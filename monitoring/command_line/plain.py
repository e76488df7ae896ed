"""Texts of tasks in a terminal: what they hold is hostile, and a terminal obeys what it is sent. Pure."""

from __future__ import annotations

import unicodedata

#: Control characters, marks of the reading direction, what is no character, and line separators.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def plain(text: str) -> str:
    r"""On one line, with every character that a terminal would obey or hide written as Python does: ``\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if unicodedata.category(letter) in _ESCAPED else letter for letter in text)


def plain_lines(text: str) -> list[str]:
    """The same for a text of several lines, such as a traceback."""
    return [plain(line.expandtabs(4)) for line in text.replace("\r\n", "\n").split("\n")]


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
