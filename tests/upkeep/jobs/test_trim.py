"""What nobody reads any more is deleted, each kind after a time of its own."""

from datetime import UTC, datetime, timedelta

from monitoring.models import Consumer, FeedEntry, WorkerEvent, WorkerSample
from monitoring.upkeep.jobs import trim


def test_consumers_that_have_not_reported_for_a_day_are_forgotten(using, lease):
    now = datetime.now(UTC)
    for name, age in (("running", 0), ("stopped at noon", 20), ("gone", 25)):
        moment = now - timedelta(hours=age)
        Consumer.objects.using(using).create(
            consumer_id=name, hostname="monitor-1", pid=1, started_at=moment, reported_at=moment
        )
    assert trim.run(lease) == "Consumers forgotten: 1; feed entries: 0; samples of workers: 0."
    assert set(Consumer.objects.using(using).values_list("pk", flat=True)) == {"running", "stopped at noon"}


def test_the_last_subscriber_is_remembered_however_long_ago_it_was(using, lease):
    """The next one finds out from it since when events have been missed."""
    now = datetime.now(UTC)
    for name, days in (("last", 3), ("earlier", 4)):
        moment = now - timedelta(days=days)
        Consumer.objects.using(using).create(
            consumer_id=name, hostname="monitor-1", pid=1, started_at=moment, reported_at=moment,
            listening_until=moment, horizon=moment,
        )  # fmt: skip
    assert trim.run(lease) == "Consumers forgotten: 1; feed entries: 0; samples of workers: 0."
    assert Consumer.objects.using(using).get().pk == "last"


def test_the_feed_keeps_what_a_page_that_was_away_for_ten_minutes_has_missed(using, lease):
    now = datetime.now(UTC)
    for minutes in (0, 9, 11):
        FeedEntry.objects.using(using).create(at=now - timedelta(minutes=minutes), events=minutes)
    assert trim.run(lease) == "Consumers forgotten: 0; feed entries: 1; samples of workers: 0."
    assert sorted(FeedEntry.objects.using(using).values_list("events", flat=True)) == [0, 9]


def test_samples_of_workers_are_kept_for_a_week(using, lease):
    now = datetime.now(UTC)
    for age in (
        timedelta(minutes=1),
        timedelta(days=6, hours=23),
        timedelta(days=7, hours=1),
        -timedelta(days=400),
    ):
        WorkerSample.objects.using(using).create(hostname="celery@a", minute=now - age)
    assert trim.run(lease) == "Consumers forgotten: 0; feed entries: 0; samples of workers: 2."
    kept = WorkerSample.objects.using(using).order_by("minute").values_list("minute", flat=True)
    assert list(kept) == [now - timedelta(days=6, hours=23), now - timedelta(minutes=1)]


def test_much_that_is_old_is_deleted_little_by_little(using, lease):
    now = datetime.now(UTC)
    for hours in range(14, 0, -1):
        WorkerSample.objects.using(using).create(
            hostname="celery@a", minute=now - timedelta(days=7, hours=hours)
        )
    for left in (8, 2, 0):
        trim.run(lease)
        assert WorkerSample.objects.using(using).count() == left


def test_worker_whose_clock_is_years_behind_keeps_no_other_samples_from_being_deleted(using, lease):
    now = datetime.now(UTC)
    WorkerSample.objects.using(using).create(hostname="celery@a", minute=now - timedelta(days=8))
    WorkerSample.objects.using(using).create(hostname="celery@b", minute=datetime(2001, 1, 1, tzinfo=UTC))
    trim.run(lease)
    assert not WorkerSample.objects.using(using).exists()


def test_comings_and_goings_of_workers_are_kept_for_a_month(using, lease):
    now = datetime.now(UTC)
    for days in (1, 29, 31):
        WorkerEvent.objects.using(using).create(
            hostname="celery@a", timestamp=now - timedelta(days=days), type="worker-online", tie=days
        )
    trim.run(lease)
    assert set(WorkerEvent.objects.using(using).values_list("tie", flat=True)) == {1, 29}
