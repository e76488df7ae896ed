"""When a schedule is due, in words; what cannot be said well is shown as crontab writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from celery.schedules import crontab, solar
from django.utils.translation import gettext as _

from .. import formatting
from .due import interval_of

_STEP = re.compile(r"\*/(\d+)\Z")
_WORKDAYS, _WEEKEND = {1, 2, 3, 4, 5}, {0, 6}
#: Times of the day that are listed one by one.
_LISTED = 4


def words_of(times: Any) -> str:
    """``Every 5 minutes``, ``Every day at 05:30``, ``Weekdays at 06:15``."""
    if isinstance(times, crontab):
        return _crontab(times)
    if isinstance(times, solar):
        return _("At %(event)s at %(latitude)s, %(longitude)s") % {
            "event": str(times.event).replace("_", " "),
            "latitude": times.lat,
            "longitude": times.lon,
        }
    seconds = interval_of(times)
    if seconds is not None:
        return every(timedelta(seconds=seconds))
    clocked = getattr(times, "clocked_time", None)
    if clocked is not None:
        return _("Once, on %(time)s") % {"time": clocked.strftime("%Y-%m-%d %H:%M:%S %Z").strip()}
    return type(times).__name__


def every(interval: timedelta) -> str:
    """``Every minute``, ``Every 15 s``, ``Every 2 hours``."""
    seconds = interval.total_seconds()
    for size, one, many in (
        (86_400, _("Every day"), _("Every %(count)s days")),
        (3_600, _("Every hour"), _("Every %(count)s hours")),
        (60, _("Every minute"), _("Every %(count)s minutes")),
    ):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return one if count == 1 else many % {"count": formatting.number(count)}
    if seconds < 60 and seconds % 1 == 0:
        return _("Every %(span)s") % {"span": f"{seconds:.0f}{formatting.NBSP}s"}
    return _("Every %(span)s") % {"span": formatting.duration(seconds)}


def crontab_text(times: Any) -> str:
    """The five fields as crontab(5) has them: ``30 5 * * 1-5``; empty for other kinds."""
    if not isinstance(times, crontab):
        return ""
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    # As they were written; Celery has no public name for that (celery/schedules.py, ``crontab.__init__``).
    fields: list[Any] = [getattr(times, f"_orig_{name}") for name in names]
    return " ".join(_field(field) for field in fields)


def _field(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, sorted(value)))
    return "".join(str(value).split())


def _crontab(times: Any) -> str:
    minute, hour, day, month, weekday = crontab_text(times).split(" ")
    days = None
    if (day, month) == ("*", "*"):
        days = _days(times, weekday)
    elif (month, weekday) == ("*", "*"):
        days = _dates(day)
    when = _time(times, minute, hour)
    if days is None or when is None:
        return _("At %(crontab)s") % {"crontab": crontab_text(times)}
    is_time, text = when
    if not days:
        return _("Every day at %(time)s") % {"time": text} if is_time else text
    if is_time:
        return _("%(days)s at %(time)s") % {"days": days, "time": text}
    return _("%(days)s: %(often)s") % {"days": days, "often": text[:1].lower() + text[1:]}


def _time(times: Any, minute: str, hour: str) -> tuple[bool, str] | None:
    """Whether it is a time of the day, or how often; and its words."""
    if minute == "*" and hour == "*":
        return False, _("Every minute")
    step = _STEP.match(minute)
    if step:
        count = int(step[1])
        if 60 % count:
            return None
        often = every(timedelta(minutes=count))
        if hour == "*":
            return False, often
        span = _range(times)
        return None if span is None else (False, f"{often}, {span}")
    if not minute.isdecimal():
        return None
    if hour == "*":
        return False, _("At minute %(minute)s of every hour") % {"minute": int(minute)}
    if hour_step := _STEP.match(hour):
        count = int(hour_step[1])
        if 24 % count:
            return None
        words = {"often": every(timedelta(hours=count)), "minute": int(minute)}
        return False, _("%(often)s, at minute %(minute)s") % words
    hours = sorted(times.hour)
    if len(hours) <= _LISTED:
        return True, _joined([f"{each:02}:{int(minute):02}" for each in hours])
    span = _range(times)
    if span is None:
        return None
    return False, f"{_('At minute %(minute)s of every hour') % {'minute': int(minute)}}, {span}"


def _range(times: Any) -> str | None:
    """``08:00 to 21:59``, where the hours follow each other."""
    hours = sorted(times.hour)
    if hours != list(range(hours[0], hours[-1] + 1)):
        return None
    return _("%(first)s to %(last)s") % {"first": f"{hours[0]:02}:00", "last": f"{hours[-1]:02}:59"}


def _days(times: Any, weekday: str) -> str:
    """Days of the week; empty for all of them."""
    days = set(times.day_of_week)
    if weekday == "*" or len(days) == 7:
        return ""
    if days == _WORKDAYS:
        return _("Weekdays")
    if days == _WEEKEND:
        return _("Saturdays and Sundays")
    names = [
        _("Sundays"),
        _("Mondays"),
        _("Tuesdays"),
        _("Wednesdays"),
        _("Thursdays"),
        _("Fridays"),
        _("Saturdays"),
    ]
    # A week begins on a Monday to most who read it.
    return _joined([names[day] for day in sorted(days, key=lambda day: (day - 1) % 7)])


def _dates(day: str) -> str | None:
    if not re.fullmatch(r"\d+(,\d+)*", day):
        return None
    return _("On day %(days)s of each month") % {"days": _joined(day.split(","))}


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}
