"""Groups of failures: what upkeep notes beside the minutes that it counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from monitoring.ingest.stores.merging import chunks
from monitoring.models import DeployMark, FailureGroup, FailureSighting, Task
from monitoring.upkeep.statistics import groups
from monitoring.upkeep.statistics.groups import EXAMPLE_AGE, forget_workers
from tests.queries.counted_failures import count_all, make_failure, traceback_in

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 14, 42, tzinfo=UTC)


def group() -> FailureGroup:
    return FailureGroup.objects.get()


def sightings() -> set[tuple[str, str, datetime, datetime]]:
    return set(FailureSighting.objects.values_list("queue", "worker", "first_seen", "last_seen"))


def test_counting_again_changes_nothing() -> None:
    make_failure(AT)
    count_all()
    before = (FailureGroup.objects.values().get(), sightings())
    count_all()
    assert (FailureGroup.objects.values().get(), sightings()) == before


def test_times_only_widen() -> None:
    task = make_failure(AT)
    count_all()
    make_failure(AT - timedelta(days=2), worker="celery@late")
    count_all()
    Task.objects.filter(pk=task.pk).update(state="SUCCESS", fingerprint=None)
    count_all()
    assert (group().first_seen, group().last_seen) == (AT - timedelta(days=2), AT)


def test_the_example_is_one_of_the_newest() -> None:
    first = make_failure(AT)
    count_all()
    assert (group().example_id, group().line) == (first.pk, 118)
    make_failure(AT + EXAMPLE_AGE, traceback=traceback_in("capture", 120))
    count_all()
    assert group().example_id == first.pk
    newest = make_failure(AT + EXAMPLE_AGE + timedelta(seconds=1), traceback=traceback_in("capture", 131))
    count_all()
    assert (group().example_id, group().line) == (newest.pk, 131)


@pytest.mark.parametrize(
    "using",
    [
        pytest.param(alias, marks=pytest.mark.django_db(databases=[alias], transaction=True))
        for alias in ("default", "postgresql")
    ],
)
def test_each_group_has_its_own_example_and_none_costs_a_statement_more(using: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connections[using]) as statements, transaction.atomic(using):
            count_all(using)
        return len(statements)

    make_failure(AT, "one", using)
    of_one = count()
    tasks = [make_failure(AT + timedelta(seconds=n), f"f{n // 2}", using) for n in range(8)]
    assert count() == of_one
    found = FailureGroup.objects.using(using).exclude(function="one")
    assert dict(found.values_list("function", "example_id")) == {
        f"f{n // 2}": tasks[n].pk for n in (1, 3, 5, 7)
    }


@pytest.mark.parametrize("fingerprint", [None, "f" * 16])
def test_a_task_that_changes_while_it_is_looked_at_is_no_example(
    monkeypatch: pytest.MonkeyPatch, fingerprint: str | None
) -> None:
    """A consumer may commit between any two statements of PostgreSQL."""
    task = make_failure(AT)

    def chunks_later(items: Any, size: int) -> Any:
        Task.objects.filter(pk=task.pk).update(fingerprint=fingerprint)
        return chunks(items, size)

    with monkeypatch.context() as patched:
        patched.setattr(
            groups,
            "chunks",
            lambda items, size: (chunks_later if items == [task.pk] else chunks)(items, size),
        )
        count_all()
    assert (group().example_id, group().first_seen) == ("", AT)


def test_versions_are_the_newest_deploy_marks_of_the_time() -> None:
    for hours, label in ((0, "v1"), (5, "v2"), (10, "v3")):
        DeployMark.objects.create(at=AT + timedelta(hours=hours), label=label)
    make_failure(AT - timedelta(hours=1))
    count_all()
    assert (group().first_version, group().last_version) == ("", "")
    make_failure(AT + timedelta(hours=5))
    count_all()
    assert (group().first_version, group().last_version) == ("", "v2")
    make_failure(AT + timedelta(hours=12), "refund")
    count_all()
    other = FailureGroup.objects.get(function="refund")
    assert (other.first_version, other.last_version) == ("v3", "v3")


def test_own_code_is_what_the_settings_say(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "OWN_CODE": ("*/celery/app/*",)}
    make_failure(AT)
    count_all()
    assert (group().path, group().own_code) == ("celery/app/trace.py", True)


def test_workers_are_forgotten_and_their_queues_are_not() -> None:
    for days, worker in ((90, "celery@a"), (80, "celery@b"), (1, "celery@b"), (60, "celery@c")):
        make_failure(AT - timedelta(days=days), worker=worker)
    make_failure(AT - timedelta(days=70), worker="celery@d", queue="slow")
    count_all()
    assert forget_workers("default", AT - timedelta(days=31)) == 3
    assert sightings() == {
        ("default", "", AT - timedelta(days=90), AT - timedelta(days=60)),
        ("default", "celery@b", AT - timedelta(days=80), AT - timedelta(days=1)),
        ("slow", "", AT - timedelta(days=70), AT - timedelta(days=70)),
    }
    assert forget_workers("default", AT - timedelta(days=31)) == 0
