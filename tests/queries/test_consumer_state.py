"""Whether the event consumers do their work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Consumer
from monitoring.queries.consumer_state import ConsumerTrouble, consumer_trouble
from tests.factories import make_worker
from tests.metrics.scrape import make_consumer

pytestmark = pytest.mark.usefixtures("watched", "still")


def behind(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def test_nothing_is_wrong_with_one_that_has_committed_everything():
    make_consumer()
    assert consumer_trouble() is None


def test_none_runs_that_has_stopped_or_has_not_reported_lately():
    make_consumer(consumer_id="stopped", stopped_at=timezone.now())
    make_consumer(consumer_id="killed", reported_at=behind(60))
    assert consumer_trouble() == ConsumerTrouble(0, 0, None)


def test_one_that_waits_for_its_turn_is_no_trouble_beside_one_that_is_connected():
    make_consumer(consumer_id="waits", connected=False)
    trouble = consumer_trouble()
    assert trouble is not None
    assert (trouble.running, trouble.connected) == (1, 0)
    make_consumer(consumer_id="works")
    assert consumer_trouble() is None


def test_the_slowest_one_decides_how_far_behind_they_are():
    make_consumer(consumer_id="quick")
    make_consumer(behind(100), consumer_id="slow")
    trouble = consumer_trouble()
    assert trouble is not None
    assert trouble.behind == 100
    Consumer.objects.filter(pk="slow").update(horizon=None)
    assert consumer_trouble() == ConsumerTrouble(2, 2, None)


def test_workers_that_beat_slowly_allow_for_more():
    make_consumer(behind(100))
    make_worker(frequency=60)
    assert consumer_trouble() is None
