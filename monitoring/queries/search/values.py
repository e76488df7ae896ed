"""The forms of values: patterns, durations, counts, times and their ranges. Pure.

A time that is written less exactly than to the microsecond stands for the stretch that it names: ``2026-11-22`` is a
day, ``14:18`` a minute. ``>`` a stretch is behind its end, ``>=`` from its start, ``a..b`` from the start of a to the
end of b.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from .fields import STATES, Kind
from .mistakes import Stop
from .tree import Bound, Missing, Pattern, Range, Value
from .words import Letter

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:ms|s|min|m|h|d|w)){1,8}\Z")
_PART = re.compile(r"([0-9.]+)(ms|min|[smhdw])")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?\Z")
_COUNT = re.compile(r"[0-9]{1,9}\Z")
#: A century; longer is a slip of the hand.
_LONGEST = 100 * 366 * 86_400
_TIME = re.compile(
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]|\Z))?"
    r"(?:(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
    # In a URL written by hand the plus of a zone arrives as a space.
    r"(?P<zone>Z|[-+ ][0-9]{2}:[0-9]{2})?)?\Z"
)
_YEARS = range(1970, 9000)
_OPERATORS = (">=", "<=", ">", "<", "=")
_EXAMPLES = {
    Kind.DURATION: "85ms, 2s, 1m30s, >10s or 1s..5s",
    Kind.COUNT: "2, >=1 or 2..5",
    Kind.TIME: "2026-11-22, 2026-11-22T14:18, 14:18, -2h, >-2h or 14:00..14:30",
}


def read_value(letters: Sequence[Letter], kind: Kind, field: str, place: tuple[int, int]) -> Value:
    """One value of a field. Raises Stop for what is none; `place` is the start and length to point at."""
    written = "".join(letter.char for letter in letters)
    if not written:
        if letters:
            return Missing()
        raise Stop("empty", f"{field}: needs a value; two quotation marks stand for none at all.", *place)
    if kind in (Kind.DURATION, Kind.COUNT, Kind.TIME):
        return _read_range(letters, kind, field, place)
    if kind is Kind.STATE:
        if written.upper() not in STATES:
            raise Stop("state", f"{written:.40} is no state. The states are {', '.join(STATES)}.", *place)
        return Pattern((written.upper(),))
    return read_pattern(letters)


def read_pattern(letters: Sequence[Letter]) -> Pattern:
    pieces = [""]
    for letter in letters:
        if letter.char == "*" and not letter.literal:
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        else:
            pieces[-1] += letter.char
    return Pattern(tuple(pieces))


def _read_range(letters: Sequence[Letter], kind: Kind, field: str, place: tuple[int, int]) -> Range:
    text = "".join(letter.char for letter in letters).strip()
    operator = next((sign for sign in _OPERATORS if text.startswith(sign)), "")
    low_text, dots, high_text = text.partition("..")
    if operator:
        bound = _bound(text.removeprefix(operator), kind, field, place, inclusive="=" in operator)
        if operator == "=":
            return Range(bound, bound)
        return Range(low=bound) if operator[0] == ">" else Range(high=bound)
    if dots:
        low = _bound(low_text, kind, field, place) if low_text.strip() else None
        high = _bound(high_text, kind, field, place) if high_text.strip() else None
        if low is None and high is None:
            raise Stop("range", f"The range of {field} needs at least one end.", *place)
        return Range(low, high)
    bound = _bound(text, kind, field, place)
    if kind is Kind.TIME and _ago(bound.text) is not None:
        return Range(low=bound)  # received:-2h is "within the last two hours"
    if kind is Kind.DURATION:
        raise Stop("comparison", f"{field} is measured, so it needs a comparison: {_EXAMPLES[kind]}.", *place)
    return Range(bound, bound)


def _bound(text: str, kind: Kind, field: str, place: tuple[int, int], inclusive: bool = True) -> Bound:
    text = text.strip()
    if kind is Kind.DURATION:
        fits = seconds_of(text) is not None
    elif kind is Kind.COUNT:
        fits = count_of(text) is not None
    else:
        fits = stretch_of(text, datetime(2000, 1, 1, tzinfo=UTC), UTC) is not None
    if not fits:
        raise Stop(
            kind.value, f"{text[:40] or 'Nothing'} is no {kind.value}; write {_EXAMPLES[kind]}.", *place
        )
    return Bound(text, inclusive)


def seconds_of(text: str) -> float | None:
    """``1m30s`` -> 90.0; None where it is no duration of at most a century."""
    if _NUMBER.match(text):
        seconds = float(text)
    elif _DURATION.match(text):
        try:
            seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
        except ValueError:
            return None
    else:
        return None
    return seconds if seconds <= _LONGEST else None


def count_of(text: str) -> int | None:
    return int(text) if _COUNT.match(text) else None


def stretch_of(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The first moment and the first one behind it; equal for a moment like ``-2h``. None where it is no time.

    Times without a zone are in `zone`, which also says what day it is.
    """
    ago = _ago(text)
    try:
        if ago is not None:
            return now + ago, now + ago
        return _absolute(text, now, zone)
    except (ValueError, OverflowError):
        return None


def _ago(text: str) -> timedelta | None:
    if text == "now":
        return timedelta(0)
    if text[:1] not in ("-", "+"):
        return None
    seconds = seconds_of(text[1:])
    return None if seconds is None else timedelta(seconds=seconds if text[0] == "+" else -seconds)


def _absolute(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    match = _TIME.match(text)
    if match is None or not text:
        return None
    day = date.fromisoformat(match["date"]) if match["date"] else now.astimezone(zone).date()
    if day.year not in _YEARS:
        return None
    if match["hour"] is None:
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    if match["zone"]:
        written = "+00:00" if match["zone"] == "Z" else match["zone"].replace(" ", "+")
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{written}").tzinfo or zone
    fraction = match["fraction"] or ""
    clock = time(
        int(match["hour"]), int(match["minute"]), int(match["second"] or 0), int(fraction.ljust(6, "0"))
    )
    start = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    if match["second"] is None:
        return start, start + timedelta(minutes=1)
    return start, start + timedelta(microseconds=10 ** (6 - len(fraction)))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
