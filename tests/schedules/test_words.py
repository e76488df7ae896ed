"""When a schedule is due, in words that somebody would say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab, schedule, solar

from monitoring.schedules.words import crontab_text, words_of


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (schedule(timedelta(seconds=15)), "Every 15\u00a0s"),
        (schedule(60), "Every minute"),
        (schedule(300), "Every 5 minutes"),
        (schedule(7_200), "Every 2 hours"),
        (schedule(timedelta(days=1)), "Every day"),
        (schedule(90), "Every 1\u00a0min\u00a030\u00a0s"),
        (crontab(), "Every minute"),
        (crontab(minute="*/5"), "Every 5 minutes"),
        (crontab(minute="*/7"), "At */7 * * * *"),
        (crontab(minute=0), "At minute 0 of every hour"),
        (crontab(minute=30, hour=5), "Every day at 05:30"),
        (crontab(minute="0", hour="8,20"), "Every day at 08:00 and 20:00"),
        (crontab(minute="*/30", hour="8-21"), "Every 30 minutes, 08:00 to 21:59"),
        (crontab(minute=5, hour="*/2"), "Every 2 hours, at minute 5"),
        (crontab(minute=10, hour="9-17"), "At minute 10 of every hour, 09:00 to 17:59"),
        (crontab(minute=0, hour=3, day_of_week=1), "Mondays at 03:00"),
        (crontab(minute=15, hour=6, day_of_week="1-5"), "Weekdays at 06:15"),
        (crontab(minute=0, hour=9, day_of_week="sat,sun"), "Saturdays and Sundays at 09:00"),
        (crontab(minute=0, hour=9, day_of_week="0,3,5"), "Wednesdays, Fridays and Sundays at 09:00"),
        (crontab(minute="*/15", day_of_week="1-5"), "Weekdays: every 15 minutes"),
        (crontab(minute=0, hour=4, day_of_month=1), "On day 1 of each month at 04:00"),
        (crontab(minute=0, hour=4, day_of_month="1,15"), "On day 1 and 15 of each month at 04:00"),
        (crontab(minute=0, hour=4, month_of_year=2), "At 0 4 * 2 *"),
        (crontab(minute=0, hour=4, day_of_month=1, day_of_week=1), "At 0 4 1 * 1"),
    ],
)
def test_times_are_said_in_words(times, words):
    assert words_of(times) == words


def test_a_time_that_comes_once_is_said_with_its_date():
    from django_celery_beat.clockedschedule import clocked

    assert words_of(clocked(datetime(2026, 12, 1, 8, 30, tzinfo=UTC))) == "Once, on 2026-12-01 08:30:00 UTC"


def test_the_sun_is_named_with_its_place():
    times = solar.__new__(solar)  # making one needs a library that is seldom there
    times.event, times.lat, times.lon = "dawn_civil", 48.2, 16.37
    assert words_of(times) == "At dawn civil at 48.2, 16.37"


def test_the_five_fields_stand_in_the_order_of_crontab():
    assert crontab_text(crontab("1", "2", "3", "4", "5")) == "1 2 4 5 3"
    assert crontab_text(schedule(5)) == ""
    assert crontab_text(crontab(minute={5, 10})) == "5,10 * * * *"
