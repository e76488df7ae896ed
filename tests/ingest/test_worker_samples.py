"""What a minute of heartbeats comes to, and how far a worker's clock is off."""

from datetime import timedelta

import pytest

from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.worker_samples import DELAY, LIVE, fold_samples, note_delays
from tests.ingest.event_streams import BEGIN, SECOND
from tests.ingest.worker_streams import decoded_worker_events, worker_event

MINUTE = 60 * SECOND
FIGURES = {"freq": 2.0, "active": 3, "processed": 70, "loadavg": [1, 2, 3]}


def heartbeats(*seconds, host="celery@a", **fields):
    """Heartbeats at these seconds of a minute."""
    begin = BEGIN - BEGIN % MINUTE
    raw = [worker_event("heartbeat", begin + round(s * SECOND), host, **(FIGURES | fields)) for s in seconds]
    return decoded_worker_events(raw)


def received(events, after, behind=0.0):
    """Let each of `events` come `after` seconds after its own time, by a consumer that is `behind`."""
    for event in events:
        received_at = to_datetime(event.ts) + timedelta(seconds=after)
        note_delays([event], received_at - timedelta(seconds=behind), received_at)
    return events


def test_sample_has_the_figures_of_the_first_heartbeat_and_the_most_that_any_said():
    events = heartbeats(2, active=1) + heartbeats(4, active=9) + heartbeats(6, active=5)
    (sample,) = fold_samples(reversed(events))
    assert (sample.active, sample.most_active, sample.processed) == (1, 9, 70)
    assert (sample.load_1, sample.load_5, sample.load_15) == (1, 2, 3)


def test_each_minute_of_each_worker_has_a_sample():
    events = heartbeats(1, 59, 60, 119) + heartbeats(30, host="celery@b")
    begin = BEGIN - BEGIN % MINUTE
    assert [(s.hostname, (s.minute - begin) // MINUTE) for s in fold_samples(events)] == [
        ("celery@a", 0),
        ("celery@a", 1),
        ("celery@b", 0),
    ]


def test_heartbeat_that_was_asked_for_says_nothing_of_the_load():
    asked = decoded_worker_events([worker_event("heartbeat", BEGIN, freq=5, pid=7)])
    (sample,) = fold_samples(asked)
    assert (sample.first_ts, sample.active, sample.most_active) == (None, None, None)
    assert (sample.least_pid, sample.greatest_pid) == (7, 7)


def test_goodbye_is_no_heartbeat():
    assert fold_samples(decoded_worker_events([worker_event("offline", BEGIN, **FIGURES)])) == []


def test_two_processes_of_one_name_show_in_the_process_ids():
    (sample,) = fold_samples(heartbeats(1, 3, pid=20) + heartbeats(2, 4, pid=9))
    assert (sample.least_pid, sample.greatest_pid) == (9, 20)


@pytest.mark.parametrize(
    ("ahead", "skew"), [(0, 0.25), (3600, -3599.75), (-90, 90.25)], ids=["right", "an hour ahead", "behind"]
)
def test_clock_skew_is_what_a_heartbeat_takes_to_arrive_at_least(ahead, skew):
    slow, fast = received(heartbeats(2), 0.75 - ahead), received(heartbeats(4), 0.25 - ahead)
    (sample,) = fold_samples(slow + fast)
    assert sample.clock_skew == pytest.approx(skew, abs=1e-5)


def test_what_waited_in_the_broker_tells_nothing_of_clocks():
    for events in (
        received(heartbeats(2), 600, behind=600),
        received(heartbeats(2), 600, behind=LIVE.total_seconds() + 0.1),
    ):
        assert DELAY not in events[0].values
        assert fold_samples(events)[0].clock_skew is None
    event = heartbeats(2)[0]
    note_delays([event], None, to_datetime(event.ts))
    assert DELAY not in event.values, "a consumer that has just started does not know how far it is behind"


def test_delay_is_no_part_of_what_an_event_is():
    one, other = received(heartbeats(2), 1), received(heartbeats(2), 2)
    assert one[0].tie == other[0].tie
    assert fold_samples(one + other) == fold_samples(one)


@pytest.mark.parametrize("loadavg", [None, [], [0.5], ["x", 1, 2], [1, 2, 3, 4]])
def test_load_of_any_shape_is_taken_as_far_as_it_goes(loadavg):
    (sample,) = fold_samples(heartbeats(2, loadavg=loadavg))
    assert sample.active == 3
    assert sample.load_15 in (None, 2, 3)


def test_hostile_figures_stay_within_what_the_columns_take():
    events = heartbeats(
        2, active=10**30, processed="many", pid=-(10**30), loadavg=[1e999, float("nan"), True]
    )
    (sample,) = fold_samples(events)
    assert sample.columns[2:] == (None,) * 11
