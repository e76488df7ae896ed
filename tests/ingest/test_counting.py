"""Events are counted once, under the name, queue and worker that they belong to."""

from monitoring.ingest.buckets import RUNTIME_BOUNDS, WAIT_BOUNDS
from monitoring.ingest.counting import LABEL_BYTES, Count, TaskFacts, count_events, label
from monitoring.ingest.events import Event
from tests.ingest.event_streams import BEGIN, SECOND, RawEvent, decoded, event

FACTS = TaskFacts("shop.pay", "celery", BEGIN + SECOND, 1.0, BEGIN, None)


def counted(*raw: RawEvent, new: set[int] | None = None, facts: TaskFacts = FACTS) -> dict[str, Count]:
    """The counts by kind ("sent")."""
    events: list[Event] = decoded(list(raw))
    ties = {e.tie for e in events} if new is None else new
    found = count_events(events, ties, {e.subject: facts for e in events})
    return {count.type.removeprefix("task-"): count for count in found}


def test_an_event_that_comes_twice_in_a_batch_is_counted_once():
    assert counted(event("failed", BEGIN), event("failed", BEGIN))["failed"].count == 1


def test_an_event_that_was_in_the_log_already_is_not_counted():
    assert counted(event("failed", BEGIN), new=set()) == {}


def test_events_are_counted_by_task_name_queue_worker_and_kind_of_exception():
    count = counted(event("failed", BEGIN, "celery@a", exception="ValueError('x')"))["failed"]

    found = (count.name, count.queue, count.worker, count.exception_type, count.task_id, count.count)
    assert found == ("shop.pay", "celery", "celery@a", "ValueError", None, 1)


def test_a_sending_is_counted_under_the_name_that_it_says():
    """A task that replaces itself was sent under its old name all the same."""
    assert counted(event("sent", BEGIN, name="shop.before"))["sent"].name == "shop.before"


def test_a_field_called_name_of_a_kind_of_the_users_own_is_not_the_tasks_name():
    count = counted(event("step", BEGIN, name="download"))["step"]

    assert (count.name, count.count) == ("shop.pay", 1)


def test_an_event_of_a_task_without_a_name_waits_for_it_under_its_id():
    count = counted(event("started", BEGIN), facts=FACTS._replace(name=None, queue=None))["started"]

    assert (count.name, count.queue, count.task_id) == ("", "", "t")


def test_run_times_of_successes_and_waits_of_the_newest_start_are_summed_and_put_into_buckets():
    counts = counted(
        event("started", BEGIN),
        event("started", BEGIN + SECOND),
        event("succeeded", BEGIN + 2 * SECOND, runtime=0.5),
        event("succeeded", BEGIN + 3 * SECOND, runtime=1.5),
        event("succeeded", BEGIN + 4 * SECOND, runtime=None),
    )

    assert (counts["started"].count, counts["started"].wait_sum) == (2, 1.0)
    assert counts["started"].wait_buckets is not None
    assert (sum(counts["started"].wait_buckets), len(counts["started"].wait_buckets)) == (
        1,
        len(WAIT_BOUNDS) + 1,
    )
    assert (counts["succeeded"].count, counts["succeeded"].runtime_sum) == (3, 2.0)
    assert counts["succeeded"].runtime_buckets is not None
    assert sum(counts["succeeded"].runtime_buckets) == 2
    assert len(counts["succeeded"].runtime_buckets) == len(RUNTIME_BOUNDS) + 1


def test_the_newest_start_tells_how_long_the_worker_had_held_the_task():
    count = counted(event("started", BEGIN), event("started", BEGIN + SECOND))["started"]

    assert (count.newest_ts, count.prefetch) == (BEGIN + SECOND, 1.0)


def test_a_worker_that_holds_a_task_until_its_eta_has_not_prefetched_it():
    for unknown in (FACTS._replace(eta=BEGIN), FACTS._replace(received_ts=None)):
        count = counted(event("started", BEGIN + SECOND), facts=unknown)["started"]
        assert (count.newest_ts, count.prefetch) == (None, None)


def test_the_newest_end_is_dated():
    counts = counted(
        event("succeeded", BEGIN + 2 * SECOND, runtime=0.5),
        event("succeeded", BEGIN, runtime=1.5),
        event("failed", BEGIN, exception="ValueError('x')"),
    )
    assert (counts["succeeded"].newest_ts, counts["failed"].newest_ts) == (BEGIN + 2 * SECOND, BEGIN)


def test_processes_that_only_send_count_by_their_host():
    """Each has its own name, so that a web server would leave totals behind whenever it is restarted."""
    counts = counted(event("sent", BEGIN, "gen4711@web-1"), event("started", BEGIN, "gen2@w-1"))

    assert counts["sent"].worker == "gen@web-1"
    assert counts["started"].worker == "gen2@w-1", "a worker may be called so"


def test_five_long_labels_fit_one_index_entry_of_postgresql():
    """PostgreSQL refuses an entry of more than 2,704 bytes, and upkeep would never get past it."""
    assert 5 * len(label("日" * 255).encode()) < 2_500 + 5 * len("…".encode())
    assert label("日" * 255).endswith("日…")


def test_a_label_that_fits_is_left_as_it_is():
    assert label("a" * 255) == "a" * 255
    assert label("日" * (LABEL_BYTES // 3)) == "日" * (LABEL_BYTES // 3)
    assert label(None) == ""
