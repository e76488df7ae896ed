"""What was missed follows from when a schedule was due and when it was sent."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import celery
import pytest
from celery.schedules import BaseSchedule, crontab, schedule
from hypothesis import given
from hypothesis import strategies as st

from monitoring.schedules.due import NeverDue, due_between, interval_of, next_after
from monitoring.schedules.judging import GRACE, judge

T = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
MINUTE = crontab()


def at(minutes: float, seconds: float = 0) -> datetime:
    return T + timedelta(minutes=minutes, seconds=seconds)


def judged(times, sent, until, reference=T, **options):
    return judge(lambda after, last: due_between(times, after, last), sent, reference, until, **options)


class TestDue:
    def test_an_interval_counts_from_the_last_sending(self):
        assert next_after(schedule(90), at(0, 7)) == at(1, 37)

    def test_a_relative_interval_is_due_at_its_own_boundaries(self):
        assert next_after(schedule(300, relative=True), at(0, 7)) == at(5)

    def test_crontab_is_due_at_whole_minutes(self):
        assert next_after(crontab(minute=5), at(0, 3)) == at(5)
        assert list(due_between(MINUTE, at(0), at(3))) == [at(1), at(2), at(3)]

    def test_a_pause_between_two_looks_at_the_clock_changes_nothing(self):
        clock = itertools.chain([T], itertools.repeat(at(0, 3)))
        assert next_after(crontab(minute=5, nowfun=lambda: next(clock)), at(0)) == at(5)

    def test_crontab_keeps_its_own_time_zone(self):
        app = celery.Celery("vienna", set_as_current=False)
        app.conf.timezone = "Europe/Vienna"
        # The last Sunday of October: the clock goes back at three, and five in the morning is an hour later.
        before = datetime(2026, 10, 24, 12, tzinfo=UTC)
        found = list(due_between(crontab(minute=0, hour=5, app=app), before, before + timedelta(days=2)))
        assert [moment.hour for moment in found] == [4, 4]
        summer = datetime(2026, 10, 22, 12, tzinfo=UTC)
        found = list(due_between(crontab(minute=0, hour=5, app=app), summer, summer + timedelta(days=2)))
        assert [moment.hour for moment in found] == [3, 3]

    def test_what_comes_once_is_never_due_again(self):
        from django_celery_beat.clockedschedule import clocked

        assert next_after(clocked(at(5)), at(0)) == at(5)
        assert next_after(clocked(at(5)), at(6)) is None

    def test_a_day_that_never_comes_says_so(self):
        class Odd(BaseSchedule):
            def remaining_estimate(self, last_run_at):
                raise ZeroDivisionError("no such day\nand more")

        with pytest.raises(NeverDue, match=r"ZeroDivisionError: no such day$"):
            next_after(Odd(), T)

    def test_only_intervals_have_one(self):
        assert interval_of(schedule(90)) == 90
        assert interval_of(MINUTE) is None

    def test_as_many_as_are_asked_for(self):
        assert len(list(due_between(MINUTE, T, at(10_000), most=7))) == 7


class TestJudging:
    def test_what_was_sent_in_time_is_not_missed(self):
        found = judged(MINUTE, [at(1), at(2, 0.3), at(3, 1)], at(3, 20))
        assert found.missed == ()
        assert found.reference == at(3, 1)

    def test_what_is_due_and_not_sent_is_overdue_after_the_grace(self):
        assert judged(MINUTE, [at(1)], at(2, GRACE - 1)).overdue is None
        overdue = judged(MINUTE, [at(1)], at(2, GRACE + 1)).overdue
        assert (overdue.first_due, overdue.newest_due, overdue.count) == (at(2), at(2), 1)
        assert judged(MINUTE, [at(1)], at(9, GRACE)).overdue.count == 8

    def test_a_run_that_comes_after_others_were_missed_ends_it(self):
        (missed,) = judged(MINUTE, [at(1), at(5, 1)], at(5, 20)).missed
        assert (missed.first_due, missed.newest_due, missed.count) == (at(2), at(5), 3)
        assert missed.came_at == at(5, 1)
        assert missed.late == 1

    def test_a_run_that_comes_before_the_next_is_late_and_not_missed(self):
        (late,) = judged(crontab(minute="*/5"), [at(5), at(12)], at(13)).missed
        assert (late.count, late.late, late.first_due) == (0, 120, at(10))

    def test_the_same_misses_are_found_again_from_the_same_place(self):
        overdue = judged(MINUTE, [], at(4, GRACE)).overdue
        (ended,) = judged(MINUTE, [at(5)], at(5, 5)).missed
        assert overdue.first_due == ended.first_due

    def test_a_sender_whose_clock_is_behind_is_early_and_not_missing(self):
        assert judged(MINUTE, [at(0, 58), at(1, 58)], at(2, 50)).missed == ()

    def test_a_run_by_hand_is_for_no_time(self):
        found = judged(crontab(minute=30), [at(10), at(30, 1)], at(40))
        assert found.missed == ()
        assert judged(crontab(minute=30), [at(10)], at(31)).overdue.count == 1

    def test_an_interval_that_beat_stretches_is_well(self):
        sent = [T + timedelta(seconds=15.4 * number) for number in range(1, 9)]
        assert judged(schedule(15), sent, sent[-1] + timedelta(seconds=20), early=0).missed == ()

    def test_a_stopped_beat_is_seen_within_a_minute(self):
        overdue = judged(schedule(15), [at(0, 15)], at(1, 1), early=0).overdue
        assert overdue is not None

    def test_what_nobody_could_see_is_not_judged(self):
        blind = [(at(1, -10), at(3, 30))]
        assert judged(MINUTE, [], at(3, 50), blind=blind).missed == ()
        assert judged(MINUTE, [], at(5), blind=blind).overdue.first_due == at(4)

    @given(st.lists(st.integers(0, 3_600), max_size=30), st.integers(0, 3_600))
    def test_whatever_was_sent_nothing_is_missed_twice(self, seconds, until):
        sent = [T + timedelta(seconds=each) for each in seconds]
        found = judged(MINUTE, sent, T + timedelta(seconds=until))
        assert sum(each.count for each in found.missed) <= 60
        for one, other in zip(found.missed, found.missed[1:], strict=False):
            assert one.newest_due < other.first_due
        assert all(each.came_at is not None for each in found.missed[:-1])
