"""Figures over the last minutes, from the feed."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.models import FeedEntry
from monitoring.queries.feed import feed_since, missed_since, newest_cursor
from monitoring.queries.throughput import STEP, STEPS, Throughput, throughput

NOW = datetime(2026, 11, 22, 12, 0, 2, tzinfo=UTC)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def test_rates_are_means_of_the_last_seconds_and_minutes_are_sums():
    known = Throughput()
    for at, events, ended, failed in ((70, 999, 99, 9), (50, 100, 10, 4), (3, 60, 20, 2), (2.5, 40, 10, 1)):
        known.add(ago(at), events, ended, failed)
    figures = known.figures(NOW)

    assert figures.events_per_second == 10
    assert figures.tasks_per_second == 3
    assert (figures.finished_last_minute, figures.failures_last_minute) == (40, 7)


def test_the_series_ends_with_the_last_whole_step_and_begins_where_anything_is_known():
    known = Throughput()
    for seconds in range(32, -1, -1):
        known.add(ago(seconds), 10, 0, 0)
    figures = known.figures(NOW)

    assert figures.until == datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    assert len(figures.series) == STEPS
    assert figures.series[-6:] == [10.0] * 6
    assert figures.series[:-6] == [None] * (STEPS - 6)


def test_what_is_older_than_the_sparkline_is_forgotten():
    known = Throughput()
    for seconds in range(2_000, -1, -1):
        known.add(ago(seconds), 1, 0, 0)
    assert len(known._seconds) <= STEP * (STEPS + 2)
    assert known.figures(NOW).series == [1.0] * STEPS


@pytest.mark.django_db
def test_a_page_that_opens_has_the_last_five_minutes():
    for seconds in (400, 100, 50, 1):
        FeedEntry.objects.create(at=ago(seconds), events=60, succeeded=3, failed=2, ended=1)
    figures = throughput(NOW).figures(NOW)
    assert figures.events_per_second == 6
    assert (figures.finished_last_minute, figures.failures_last_minute) == (12, 4)
    assert sum(value or 0 for value in figures.series) * STEP == 120


@pytest.mark.django_db
def test_a_cursor_tells_what_was_missed_since():
    assert newest_cursor() == 0
    first, second, third = (FeedEntry.objects.create(at=NOW, changes=changes) for changes in (1, 2, 4))
    assert newest_cursor() == third.pk
    assert [entry.pk for entry in feed_since(first.pk)] == [second.pk, third.pk]
    assert (missed_since(first.pk).changes, missed_since(first.pk).complete) == (6, True)
    assert missed_since(third.pk).changes == 0
    assert not missed_since(first.pk - 1).complete
    # Of another database: the feed has begun anew.
    assert not missed_since(third.pk + 1).complete
