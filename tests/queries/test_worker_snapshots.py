"""What workers answered, as users may see it."""

from datetime import UTC, datetime

import pytest

from monitoring.inspection.kinds import KINDS
from monitoring.models import WorkerSnapshot
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_snapshots import snapshot, snapshots
from monitoring.queries.worker_tasks import tasks_held, tasks_revoked
from tests.factories import make_task
from tests.queries.worker_parts.answers import answers

EVERYTHING = Visibility.everything()
LIMITED = Visibility(names=("shop.*",))
ASKED = datetime(2026, 11, 23, 12, tzinfo=UTC)


def answered(using, kind, content, **fields):
    items = len(content) if isinstance(content, list) else None
    WorkerSnapshot.objects.using(using).create(
        hostname="celery@a",
        kind=kind,
        content=content,
        **{"items": items, "asked_at": ASKED, "answered_at": ASKED, **fields},
    )


def test_snapshot_has_its_content_and_its_ages(using, watched):
    answered(using, "stats", {"pid": 1}, asked_at=ASKED.replace(hour=13), problem="silent")
    found = snapshot(EVERYTHING, "celery@a", "stats")
    assert (found.content, found.problem) == ({"pid": 1}, "did not answer in time")
    assert (found.asked_at.hour, found.answered_at.hour) == (13, 12)


def test_worker_that_was_never_asked_has_an_empty_snapshot_of_each_kind(using, watched):
    for hostname in ("celery@new", "nul\0"):
        found = snapshots(EVERYTHING, hostname)
        assert list(found) == list(KINDS)
        assert {(s.content, s.asked_at, s.answered_at, s.problem) for s in found.values()} == {
            (None, None, None, "")
        }


def test_question_that_nobody_asks_is_an_error(using, watched):
    with pytest.raises(KeyError):
        snapshot(EVERYTHING, "celery@a", "objgraph")


def test_limited_user_gets_nothing_that_tells_of_everybodys_tasks(using, watched):
    for kind in KINDS:
        answered(using, kind, {"a": 1})
    found = snapshots(LIMITED, "celery@a")
    assert {kind for kind, s in found.items() if not s.is_hidden} == {
        "active_queues",
        "registered",
        "memsample",
    }
    assert all(s.content is None and s.answered_at is None for s in found.values() if s.is_hidden)


@pytest.mark.parametrize("kind", ["active", "reserved", "scheduled"])
def test_tasks_in_a_workers_hands_are_those_that_may_be_seen(using, watched, kind):
    content = answers("prefork")[kind]
    answered(using, kind, content, items=1_000)
    mine, others = (item.get("request", item)["id"] for item in content[:2])
    make_task(mine, using=using, name="shop.sleep")
    make_task(others, using=using, name="secret.sleep")
    everything = tasks_held(EVERYTHING, "celery@a", kind, with_payload=True)
    assert (len(everything.tasks), everything.total) == (len(content), 1_000)
    assert everything.tasks[0].args is not None
    limited = tasks_held(LIMITED, "celery@a", kind, with_payload=False)
    assert [task.task_id for task in limited.tasks] == [mine]
    assert limited.tasks[0].args is None
    assert limited.total is None
    assert limited.snapshot.answered_at == ASKED


def test_revoked_ids_are_those_that_may_be_seen(using, watched):
    answered(using, "revoked", ["mine", "others", "unknown"])
    make_task("mine", using=using, name="shop.sleep")
    make_task("others", using=using, name="secret.sleep")
    assert tasks_revoked(EVERYTHING, "celery@a").task_ids == ["mine", "others", "unknown"]
    assert tasks_revoked(EVERYTHING, "celery@a").total == 3
    limited = tasks_revoked(LIMITED, "celery@a")
    assert (limited.task_ids, limited.total) == (["mine"], None)
