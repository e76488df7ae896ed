"""How figures, durations and values are written for people. Pure: no Django, no translation, no markup.

A number and its unit are joined by a non-breaking space. Units are those of the SI brochure (s, ms, min, h, d), which
are the same in every language.
"""

from __future__ import annotations

import ast
import json
import pprint
import re
import signal
from typing import Any

from . import rejection

NBSP = "\u00a0"
ELLIPSIS = "\u2026"

#: Longest text that is parsed in order to be printed prettily; longer ones are shown as they are.
MAX_PARSED = 100_000


def number(value: float) -> str:
    """With thousands separators: ``1,240``; a fraction keeps what it has, a whole number has no ``.0``."""
    return f"{int(value) if isinstance(value, float) and value.is_integer() else value:,}"


def rate(per_second: float) -> str:
    """``1,240``, ``65``, ``3.1``: one decimal below ten, where a whole number would hide a change."""
    return number(round(per_second)) if per_second >= 10 else _without_zeros(f"{per_second:.1f}")


def share(part: float) -> str:
    """A part of 1 with one decimal, ``0.3 %``, ``94.0 %``, but for ``0 %`` and ``100 %``, which are none and all."""
    percent = part * 100
    if 0 < percent < 0.1:
        return f"<0.1{NBSP}%"
    if 99.9 < percent < 100:
        return f">99.9{NBSP}%"
    return f"{percent:g}{NBSP}%" if percent in (0, 100) else f"{percent:.1f}{NBSP}%"


def duration(seconds: float) -> str:
    """To three significant figures with a unit: ``85 ms``, ``1.24 s``, ``3 min 51 s``, ``2 h 05 min``, ``6 d 4 h``.

    A negative duration (two hosts' clocks differ) keeps its sign.
    """
    if seconds < 0:
        return f"-{duration(-seconds)}"
    milliseconds = _three_figures(seconds * 1000)
    if float(milliseconds) < 1000:
        return f"{_without_zeros(milliseconds)}{NBSP}ms"
    text = _three_figures(seconds)
    if float(text) < 60:
        return f"{text}{NBSP}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{NBSP}min{NBSP}{whole % 60:02}{NBSP}s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}{NBSP}h{NBSP}{minutes % 60:02}{NBSP}min"
    hours = round(seconds / 3600)
    if hours < 30 * 24:
        return f"{hours // 24}{NBSP}d{NBSP}{hours % 24}{NBSP}h"
    return f"{number(round(seconds / 86400))}{NBSP}d"


def _three_figures(value: float) -> str:
    """``0.412``, ``22.4``, ``1.20``, ``201``: three significant figures, never an exponent."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0
    if value < 1:
        decimals = 3
    text = f"{value:.{decimals}f}"
    # 9.996 is written as 10.00 by its own decimals: once more with those of the rounded value.
    return text if len(text.replace(".", "").lstrip("0")) <= 3 else f"{value:.{max(0, decimals - 1)}f}"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact_duration(seconds: float) -> str:
    """Of what was set and not measured, in all units that it has: ``1 h``, ``1 d 12 h``, ``1 min 30 s``, ``500 ms``."""
    if seconds < 1:
        return f"{seconds * 1000:g}{NBSP}ms"
    rest, parts = float(seconds), []
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{number(count)}{NBSP}{unit}")
    if rest:
        parts.append(f"{rest:g}{NBSP}s")
    return NBSP.join(parts)


def span(seconds: float) -> str:
    """One unit, rounded down, for "... ago": ``4 s``, ``3 min``, ``2 h``, ``6 d``."""
    seconds = abs(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{number(int(seconds // size))}{NBSP}{unit}"
    return f"{int(seconds)}{NBSP}s"


def size(octets: int) -> str:
    """``940 B``, ``1.2 kB``, ``64 kB``, ``3.4 MB``: decimal prefixes."""
    value, unit = float(octets), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    text = f"{value:.0f}" if unit == "B" or value >= 10 else f"{value:.1f}"
    return f"{text}{NBSP}{unit}"


def cut(text: str, length: int) -> str:
    """At most `length` characters, the last of which is "…" where something is missing."""
    return text if len(text) <= length else text[: max(0, length - 1)] + ELLIPSIS


def split_name(name: str) -> tuple[str, str]:
    """A dotted task name as module (with its dot) and function: ``("payments.tasks.", "capture_payment")``."""
    module, dot, function = name.rpartition(".")
    return (module + dot, function) if function else ("", name)


def pretty(text: str, width: int = 60) -> str:
    """A Python literal or JSON over several lines, as Celery's events carry them; any other text as it is."""
    value, parsed = _literal(text)
    if not parsed:
        return text
    if isinstance(value, str):
        return repr(value)
    try:
        return pprint.pformat(value, width=width, sort_dicts=False)
    except RecursionError:
        return text


def pretty_json(value: Any) -> str:
    """JSON over several lines, its keys in their order."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


_NUMBER = r"-?(?:0|[1-9][0-9]{0,9})\.(?:[0-9]{0,3}[1-9]|0)|0|-?[1-9][0-9]{0,99}"
_PLAIN = rf"(?:{_NUMBER}|'[^'\\]*'|None|True|False)"
_PLAIN_ITEM = rf"'[^'\\]*': {_PLAIN}"
#: Plain values, and lists, tuples and dictionaries of them, exactly as their repr is: nine of ten arguments.
_VALUE = (
    rf"(?:{_PLAIN}|\[(?:{_PLAIN}(?:, {_PLAIN})*)?\]|\((?:{_PLAIN}(?:,|(?:, {_PLAIN})+))?\)"
    rf"|{{(?:{_PLAIN_ITEM}(?:, {_PLAIN_ITEM})*)?}})"
)
_PLAIN_ARGS = re.compile(rf"\((?:{_VALUE}(?:,|(?:, {_VALUE})+))?\)|\[(?:{_VALUE}(?:, {_VALUE})*)?\]")
# The end has to be seen: a search is content with the beginning of a number.
_KEYWORD = rf"'([^'\\]*)': ({_VALUE})(?=[,}}])"
_KEYWORDS = re.compile(_KEYWORD)
_PLAIN_KWARGS = re.compile(rf"{{(?:{_KEYWORD}(?:, {_KEYWORD})*)?}}")
#: ``datetime.date(2026, 11, 22)`` outside of strings, which makes a text no literal.
_CALL = re.compile(r"""(?:[^'"\\]|'[^'\\]*'|"[^"\\]*")*?\w(?<!\bset)\(""")


def call_line(args: str | None, kwargs: str | None) -> str:
    """Arguments on one line, as a call is written: ``48213, amount='129.90'``. What is no literal stays as it is."""
    return ", ".join(part for part in (_positional(args), _keywords(kwargs)) if part)


def _positional(args: str | None) -> str:
    if not args:
        return ""
    # Parsing takes ten times as long, and a list shows a hundred of these.
    if args.isprintable() and _PLAIN_ARGS.fullmatch(args):
        return args[1:-1].removesuffix(",")
    value, parsed = (None, False) if _CALL.match(args) else _literal(args)
    return ", ".join(map(repr, value)) if parsed and isinstance(value, tuple | list) else args


def _keywords(kwargs: str | None) -> str:
    if not kwargs:
        return ""
    if kwargs.isprintable() and _PLAIN_KWARGS.fullmatch(kwargs):
        found = dict(_KEYWORDS.findall(kwargs))
        return ", ".join([f"{name}={value}" for name, value in found.items()])
    value, parsed = (None, False) if _CALL.match(kwargs) else _literal(kwargs)
    if not parsed or not isinstance(value, dict):
        return kwargs
    return ", ".join([f"{name}={each!r}" for name, each in value.items()])


def _literal(text: str) -> tuple[Any, bool]:
    """The value of a Python literal, and whether it is one. Nothing is evaluated."""
    if len(text) > MAX_PARSED:
        return None, False
    try:
        return ast.literal_eval(text), True
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return None, False


_EXCEPTION = re.compile(r"(?s)((?:\w+\.)*[^\W\d]\w*)(?:\((.*)\)|: ?(.*))?\s*\Z")


def signal_name(text: str | None) -> str:
    """The name of a signal, which a worker tells by its number: ``SIGTERM`` for ``15``."""
    try:
        return signal.Signals(int(text or "")).name
    except ValueError:
        return text or ""


def exception_parts(text: str) -> tuple[str, str]:
    """Class name and message of an exception's repr: ``("Timeout", "no answer")``; ``("", text)`` for others."""
    reason = rejection.reason_of(text)
    if reason is not None:
        return rejection.TYPE, reason
    match = _EXCEPTION.match(text)
    if match is None:
        return "", text
    inside = match[2]
    if inside is None:
        return match[1], match[3] or ""
    value, parsed = _literal(inside.rstrip().removesuffix(","))
    return match[1], value if parsed and isinstance(value, str) else inside
