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

from .redaction_names import MAX_NAME_LENGTH, SensitiveNames
from .redaction_patterns import MARK, PRIVATE_KEY
from .redaction_values import ASSIGNED, ATTRIBUTE, HEADER, ITEM, STATEMENT, Extent, measure, opening_quote

#: Quotes as HTML and URLs write them.
_ENCODED_QUOTE = r"&(?:quot|apos|\#0?3[49]|\#x2[27]);|%(?:25)*2[27]"
_ENCODED_SPACE = r"(?:\s|%(?:25)*20|\+)*+"
#: A value that begins on the next line; not the next frame of a traceback, nor the next name where there is no value.
_NEXT_LINE = r"""
    [ \t]*+\r?\n[ \t]*+(?:-[ ]++)?+(?:(?:[Bb]earer|[Bb]asic|[Tt]oken)[ ]++)?+
    (?!File\ "|Traceback\b|[\^~]|[\w.-]++(?:=[^\s=]|:\s))
"""
#: What the key of a dict may end with, behind its last word.
_TAIL = r" .;:/+*~|\#@$%&?!(^`)\]}"
#: A name and what makes the text behind it a value.
_NAMED = re.compile(
    rf"""
    (?<![\w-])
    (?: (?<![^\s"'])(?=--)(?P<option>[\w-]++)[ \t]++(?=[^\s-])                  # --password hunter2
      | (?P<name>[\w-]++)
        (?: (?P<quote>\\*+["'])
            (?: \s*+(?:(?P<key>:|=>)|(?P<item>,))\s*+               # 'password': 'x'    ('password', 'x')
              | [ \t]*+\]?+(?P<before>[ \t]*+)[!=]?=>?(?P<behind>[ \t]*+) )     # d['password'] = 'x'
          | (?:\]|%(?:25)*5[dD])?+(?P<space>[ \t]*+)
            (?: (?:[!=]?=>?|:=|%(?:25)*3[dD])(?P<gap>[ \t]*+(?:\\?{_NEXT_LINE})?+)      # password='x'   password = 'x'
              | (?P<colon>:)(?!//|\\*+["']\s*+:)[ \t]*+                                 # Authorization: x
                (?P<below>(?:[|>][+-]?+)?+{_NEXT_LINE})?+
              | (?<=[ \t])(?P<quoted>)(?=(?P<opening>\\*+["'])[^\s\\,;:.)\]}}>](?!(?P=opening))) )     # password 'xyz'
          | (?P<encoded>{_ENCODED_QUOTE}){_ENCODED_SPACE}(?::|%(?:25)*3[aA]){_ENCODED_SPACE}    # &quot;password&quot;:
            (?P<string>(?P=encoded))?+
          | (?P<element>>) )                                        # <password>x</password>
    )
    | ["'\\](?<=[{_TAIL}].)(?:(?<=["'])|\\*+["'])(?P<end>\s*+)(?::|=>)\s*+       # 'API key (prod)': 'x'
    | >(?:(?<=["']>)|(?<=["'][ ]>))(?P<tag>)                                 # <password type="text">x</password>
    | \((?P<columns>[\w", -]{{1,300}}+)\)=(?=\()                    # Key (token)=(x), PostgreSQL's error detail
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[\w-]++")
_LAST_WORD = re.compile(r"[\w-]++\Z")
_WORD_BEFORE_TAIL = re.compile(rf"([\w-]++)[{_TAIL}]{{1,8}}\Z")
#: A name in a quoted text may have the end of an escape sequence before it: "\\npassword", "%3Fpassword".
_ESCAPES = {
    "\\": re.compile(r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[abfnrtv]"),
    "%": re.compile(r"(?:25)*[0-9a-fA-F]{2}"),
}
#: What stands before the quote that a key of a dict begins with.
_BEFORE_KEY = re.compile(r"(?:\A|[{(\[,\n]|\\[nrt])[ \t]*+[bBrRuU]{0,2}\Z")
_KEY = re.compile(rf"[^\"'\\\n]{{1,{MAX_NAME_LENGTH}}}\Z")
#: The longest word of a name of several, and the longest indentation of a key.
_MAX_WORD, _MAX_INDENT = 32, 64
#: Characters of a tag in angle brackets that are looked at, on each side.
_MAX_TAG = 256
_TAG = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)\s")
_ATTRIBUTE = re.compile(r"""\b(?:name|key|id|type)=\\*["']?([\w.\[\]-]{1,64})""", re.IGNORECASE)
#: Source lines of Python that end with a colon.
_BLOCK = re.compile(r"\s*+(?:async|case|class|def|elif|except|for|if|match|while|with)\b")
#: `module.InvalidToken: text`, the last line of a traceback, gives no value to a name. (`...Error` is harmless anyway.)
_EXCEPTION = re.compile(r"(?:Bad|Expired|Invalid|Malformed|Missing|Revoked|Unknown|Wrong)[A-Z]\w*\Z")
#: What stands behind a name in angle brackets that is no element: `[<Session>, 5]`.
_BEHIND_REPR = (",", ")", "]", "}", ">")
_CDATA = "<![CDATA["

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
        if match["element"] is not None or match["tag"] is not None:
            if text.startswith(_CDATA, start, limit):
                start = position = start + len(_CDATA)
                position = end = _find(text, "]]>", start, limit)
            else:
                position = end = _find(text, "<", start, limit)
        elif match["string"] is not None:
            position = end = _find(text, match["string"], start, limit)
        elif block := PRIVATE_KEY.match(text, start, limit):
            position = end = block.end()
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


def _find(text: str, stop: str, start: int, limit: int) -> int:
    """Where the next `stop` is that no backslash escapes; `limit` where there is none."""
    found = text.find(stop, start, limit)
    while found > start and text[found - 1] == "\\":
        found = text.find(stop, found + 1, limit)
    return limit if found < 0 else found


def _is_secret(match: re.Match[str], names: SensitiveNames) -> bool:
    text = match.string
    if match["name"] is None:
        if match["columns"] is not None:
            return any(name in names for name in _WORD.findall(match["columns"]))
        if match["tag"] is not None:
            return _is_tag_of_secret(text, match.start(), names)
    start = _start_of_name(match, names)
    if start < 0:
        return False
    if match["item"] is not None:  # a pair, so the name has to be the whole of its string
        return text.endswith(match["quote"], 0, start)
    if match["element"] is not None:
        return text.endswith(("<", ":"), 0, start) and not text.startswith(_BEHIND_REPR, match.end())
    if match["below"] and _BLOCK.match(text, text.rfind("\n", max(0, start - MAX_NAME_LENGTH), start) + 1):
        return False
    if match["colon"] is not None:
        # Not the user in a URL, amqp://token:..., nor an exception's class.
        return not text.endswith("//", 0, start) and not (
            text.endswith(".", 0, start) and _EXCEPTION.match(match["name"])
        )
    return True


def _start_of_name(match: re.Match[str], names: SensitiveNames) -> int:
    """Where the name of a secret begins that ends in `match`; -1 where none does."""
    text, start = match.string, match.start()
    name = match["name"] or match["option"]
    if name is None:
        word = _WORD_BEFORE_TAIL.search(text, max(0, start - _MAX_WORD), start)
        return word.start() if word and word[1] in names else _start_of_key(match, names)
    if name in names:
        return start
    before = text[start - 1 : start]
    if before == "'" or before == '"':  # the whole of a string, as nearly every key is
        return -1
    if before == " " or before == "+":
        if names.ends_key(name):
            first = _LAST_WORD.search(text, max(0, start - 1 - _MAX_WORD), start - 1)
            if first and names.are_key(first.group(), name):
                return first.start()
        if match["name"] and _is_value(match) and _is_value_of_field(text, start, names):
            return start
    elif before in _ESCAPES:
        escape = _ESCAPES[before].match(name)
        if escape and name[escape.end() :] in names:
            return start
    return -1 if match["key"] is None else _start_of_key(match, names)


def _start_of_key(match: re.Match[str], names: SensitiveNames) -> int:
    """Where the key of a dict begins that is the name of a secret as a whole: `'Password of the user': 'x'`."""
    text, quote = match.string, _key_quote(match)
    end = match.start("quote") if match["end"] is None else match.start()
    opening = text.rfind(quote, max(0, end - MAX_NAME_LENGTH - len(quote)), end)
    start = opening + len(quote)
    if (
        opening >= 0
        and _KEY.match(text, start, end)
        and text[start:end] in names
        and _BEFORE_KEY.search(text, max(0, opening - _MAX_INDENT), opening)
    ):
        return start
    return -1


def _is_tag_of_secret(text: str, end: int, names: SensitiveNames) -> bool:
    """Whether what stands behind the tag that ends at `end` is a secret: `<w:Password Type="PasswordText">`."""
    tag = _TAG.match(text, max(0, text.rfind("<", max(0, end - _MAX_TAG), end)), end)
    if tag is None or tag[1] not in names or text.startswith(_BEHIND_REPR, end + 1):
        return False
    # What a sentence goes on with, `<Session id='5'> was closed`, stands in no element.
    content = text.find("<", end)
    return not text[end + 1 : end + 2].isspace() or text.startswith(("</", _CDATA), content)


def _is_value(match: re.Match[str]) -> bool:
    return match["name"].casefold() == "value" and match["gap"] == ""


def _is_value_of_field(text: str, start: int, names: SensitiveNames) -> bool:
    """Whether the attribute at `start` is the value of a field for a secret: `<input name="password" value="x">`."""
    tag = text.rfind("<", max(0, start - _MAX_TAG), start)
    if tag < 0 or text.find(">", tag, start) >= 0:
        return False
    end = text.find(">", start, start + _MAX_TAG)
    found = _ATTRIBUTE.finditer(text, tag, start + _MAX_TAG if end < 0 else end)
    return any(attribute[1] in names for attribute in found)


def _extent(match: re.Match[str]) -> Extent:
    if match["key"] is not None or match["item"] is not None or match["end"] is not None:
        return ITEM
    if match["space"] is not None and _is_value(match):
        return ATTRIBUTE
    if match["quoted"] is not None:
        return HEADER
    if match["colon"] is not None:
        return ASSIGNED if match["below"] else HEADER
    if match["gap"] and "\n" in match["gap"]:
        return ASSIGNED
    if (match["space"] and match["gap"]) or (match["before"] and match["behind"]):
        return STATEMENT
    return ASSIGNED


def _key_quote(match: re.Match[str]) -> str:
    """The quotes of the key around the mark, so that JSON and literals stay what they are."""
    if match["end"] is not None:
        return match.string[match.start() : match.start("end")]
    if match["key"] is None and match["item"] is None:
        return ""
    quote: str = match["quote"]
    return quote
