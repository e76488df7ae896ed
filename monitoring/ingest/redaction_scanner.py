"""Finds the values that stand behind the names of secrets, in a text that may be cut anywhere. Pure.

The text is a Python repr, JSON, headers, a traceback, or all of these in each other. It is not parsed from its
beginning, since what Celery sends is a piece of it: `celery.utils.saferepr` cuts at 1,024 characters and escapes quotes
but not backslashes, and an exception quotes whatever it likes. So the scanner looks for a name with a separator behind
it, anywhere, and measures the value from there. Where the text can be read in several ways, too much is hidden rather
than too little. Each character is looked at a bounded number of times, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .redaction_names import SensitiveNames
from .redaction_patterns import MARK
from .redaction_values import ASSIGNED, HEADER, ITEM, STATEMENT, Extent, measure, opening_quote

#: A name and what makes the text behind it a value.
_NAMED = re.compile(
    r"""
    (?<![\w-])
    (?: (?<![^\s"'])(?=--)(?P<option>[\w-]++)[ \t]++(?=[^\s-])                  # --password hunter2
      | (?P<name>[\w-]++)
        (?: (?P<quote>\\*+["'])
            (?: \s*+(?:(?P<key>:|=>)|(?P<item>,))\s*+               # 'password': 'x'    ('password', 'x')
              | [ \t]*+\]?+(?P<before>[ \t]*+)[!=]?=>?(?P<behind>[ \t]*+) )     # d['password'] = 'x'
          | \]?+(?P<space>[ \t]*+)(?:[!=]?=>?|:=)(?P<gap>[ \t]*+)   # password='x'       password = 'x'
          | \]?+[ \t]*+(?P<colon>:)(?!//)[ \t]*+                    # Authorization: x
          | (?P<element>>) )                                        # <password>x</password>
    )
    | \((?P<columns>[\w", -]{1,300}+)\)=(?=\()                      # Key (token)=(x), PostgreSQL's error detail
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[\w-]++")
#: A name in a quoted text may have the end of an escape sequence before it: "\npassword".
_ESCAPE = re.compile(r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[abfnrtv]")
#: `module.InvalidToken: text`, the last line of a traceback, gives no value to a name. (`...Error` is harmless anyway.)
_EXCEPTION = re.compile(r"(?:Bad|Expired|Invalid|Malformed|Missing|Revoked|Unknown|Wrong)[A-Z]\w*\Z")
#: What stands behind a name in angle brackets that is no element: `[<Session>, 5]`.
_BEHIND_REPR = (",", ")", "]", "}", ">")

_MARKED = re.compile(rf"(?P<quote>(?:\\*+[\"'])?){re.escape(MARK)}(?P=quote)")
#: The next frame of a traceback ends whatever was left open in a source line before it.
_FRAME = '\n  File "'


#: Characters of values that are measured at most, per character of the text. Nothing but an attack comes near it.
_EFFORT = 16


class Finding(NamedTuple):
    """A secret in a text, from `start` to `end`, and what to put in its place."""

    start: int
    end: int
    replacement: str


def find_secrets(text: str, names: SensitiveNames) -> Iterator[Finding]:
    """The values in `text` that stand behind one of `names`, from left to right; those marked already are left out.

    Where a value can be read in several ways, all that it may be is hidden, and the search goes on behind the least
    that it may be, so that no name in between is missed. A text that keeps making this expensive is hidden from there
    on.
    """
    found: Finding | None = None
    effort = _EFFORT * len(text) + 4_096
    frame = text.find(_FRAME)
    position = 0
    while match := _NAMED.search(text, position):
        start = position = match.end()
        if not _is_secret(match, names):
            continue
        marked = _MARKED.match(text, start)
        if marked:
            position = marked.end()
            continue
        while 0 <= frame < start:
            frame = text.find(_FRAME, frame + 1)
        limit = len(text) if frame < 0 else frame
        if match["element"] is not None:
            tag = text.find("<", start, limit)
            position = end = limit if tag < 0 else tag
        else:
            position, end = measure(text, start, limit, _extent(match))
        effort -= end - start
        if effort < 0:
            end = len(text)
        if found and start < found.end:
            found = found._replace(end=max(found.end, end))
        elif end > start:
            if found:
                yield found
            quote = opening_quote(text, start) or _key_quote(match)
            found = Finding(start, end, f"{quote}{MARK}{quote}")
        if effort < 0:
            break
    if found:
        yield found


def _is_secret(match: re.Match[str], names: SensitiveNames) -> bool:
    text, start = match.string, match.start()
    if match["columns"] is not None:
        return any(name in names for name in _WORD.findall(match["columns"]))
    name = match["option"] or match["name"]
    if name not in names:
        if not (start and text[start - 1] == "\\"):
            return False
        escape = _ESCAPE.match(name)
        if not escape or name[escape.end() :] not in names:
            return False
    if match["item"] is not None:  # a pair, so the name has to be the whole of its string
        return text.endswith(match["quote"], 0, start)
    if match["element"] is not None:
        return text.endswith(("<", ":"), 0, start) and not text.startswith(_BEHIND_REPR, match.end())
    if match["colon"] is not None:
        # Not the user in a URL, amqp://token:..., nor an exception's class.
        return not text.endswith("//", 0, start) and not (
            text.endswith(".", 0, start) and _EXCEPTION.match(name)
        )
    return True


def _extent(match: re.Match[str]) -> Extent:
    if match["key"] is not None or match["item"] is not None:
        return ITEM
    if match["colon"] is not None:
        return HEADER
    if (match["space"] and match["gap"]) or (match["before"] and match["behind"]):
        return STATEMENT
    return ASSIGNED


def _key_quote(match: re.Match[str]) -> str:
    """The quotes of the key around the mark, so that JSON and literals stay what they are."""
    if match["key"] is None and match["item"] is None:
        return ""
    return match["quote"]
