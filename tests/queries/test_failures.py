"""Groups of failures, against the plainest count of the tasks themselves."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from monitoring.failure_states import RECOVERED_AFTER, Standing
from monitoring.models import DeployMark, FailureGroup, FailureTriage, Task
from monitoring.queries.failure_details import details, group_with_details
from monitoring.queries.failure_runs import LISTED, group_runs
from monitoring.queries.failures import (
    PERIODS,
    WINDOWS,
    Window,
    end_of_counts,
    failure_group,
    failures,
    failures_like,
)
from monitoring.queries.search.question import Question
from monitoring.queries.task_list import Asked
from monitoring.queries.visibility import Visibility
from tests.factories import make_task
from tests.queries.counted_failures import count_all, make_failure, traceback_in

ALL = Visibility.everything()
NOW = datetime(2026, 11, 22, 14, 42, 31, tzinfo=UTC)
END = datetime(2026, 11, 22, 14, 42, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def listed(using: str, query: str) -> int:
    """How many tasks the list has for a query string."""
    question = Question.read(parse_qsl(query))
    assert not question.mistakes
    return Asked(ALL, question, True, NOW).tasks().count()


def scatter(using: str) -> list[Task]:
    """Failures of 32 days, the same ones each time, most of them lately."""
    chance = random.Random(5)
    tasks = []
    for _ in range(90):
        ago = timedelta(minutes=chance.choice([50, 170, 1_400, 10_000, 45_000]) * chance.random())
        kind = chance.choice(["KeyError", "OSError", "ValueError"])
        tasks.append(
            make_failure(
                END - ago,
                chance.choice(["capture", "refund"]),
                using,
                exception_type=kind,
                name=chance.choice(["shop.pay", "ledger.close"]),
                queue=chance.choice(["fast", "slow"]),
            )
        )
    count_all(using)
    return tasks


def test_counts_are_those_of_the_tasks_and_each_links_to_as_many(using: str, watched: str) -> None:
    tasks = scatter(using)
    for period, length in PERIODS.items():
        found = failures(ALL, period, NOW)
        assert found.window == Window(END - length, END)
        inside = [task for task in tasks if task.finished_at is not None and task.finished_at >= END - length]
        inside = [task for task in inside if task.finished_at is not None and task.finished_at < END]
        assert {group.fingerprint: group.count for group in found.groups} == Counter(
            t.fingerprint for t in inside
        )
        assert found.total == len(inside)
        for group in found.groups[:3]:
            assert (
                listed(using, f"fingerprint={group.fingerprint}&finished={found.window.term}") == group.count
            )


def test_the_matrix_counts_exceptions_by_window_and_each_number_links_to_as_many(
    using: str, watched: str
) -> None:
    tasks = scatter(using)
    found = failures(ALL, "24h", NOW)
    assert [window.end - window.start for window in found.windows] == list(WINDOWS.values())
    assert {kind for kind, _ in found.matrix} == {"KeyError", "OSError", "ValueError"}
    for kind, counts in found.matrix:
        for window, count in zip(found.windows, counts, strict=True):
            mine = [t for t in tasks if t.exception_type == kind and t.finished_at is not None]
            assert count == sum(
                window.start <= t.finished_at < window.end for t in mine if t.finished_at is not None
            )
            assert listed(using, f"state=FAILURE&exception_type={kind}&finished={window.term}") == count


def test_failures_of_one_task_are_counted_as_if_there_were_no_others(using: str, watched: str) -> None:
    tasks = [task for task in scatter(using) if task.name == "shop.pay" and task.finished_at is not None]
    found = failures(ALL, "7d", NOW, "shop.pay")
    inside = [task for task in tasks if task.finished_at is not None and task.finished_at >= END - 7 * DAY]
    assert found.total == len(inside) > 0
    assert {group.fingerprint: group.count for group in found.groups} == Counter(
        task.fingerprint for task in inside
    )
    assert {kind: counts[-1] for kind, counts in found.matrix} == Counter(
        task.exception_type for task in inside
    )
    assert not failures(ALL, "7d", NOW, "shop").groups


def test_the_minute_that_is_under_way_is_not_counted_yet(using: str, watched: str) -> None:
    assert end_of_counts(NOW) == END
    assert end_of_counts(END + timedelta(seconds=19)) == END - timedelta(minutes=1)
    make_failure(END, using=using)
    make_failure(END - timedelta(seconds=1), "refund", using)
    count_all(using)
    assert [group.function for group in failures(ALL, "1h", NOW).groups] == ["refund"]


def test_deleted_tasks_still_count_and_leave_their_group(using: str, watched: str) -> None:
    scatter(using)
    before = failures(ALL, "7d", NOW)
    Task.objects.using(using).all().delete()
    after = failures(ALL, "7d", NOW)
    assert (after.total, after.matrix) == (before.total, before.matrix)
    assert sorted(g.fingerprint for g in after.groups) == sorted(g.fingerprint for g in before.groups)


def test_a_group_tells_when_where_and_by_which_workers(using: str, watched: str) -> None:
    first = make_failure(END - 5 * DAY, using=using, worker="celery@old")
    make_failure(END - 2 * HOUR, using=using, worker="celery@a")
    newest = make_failure(END - HOUR, using=using, worker="celery@b", traceback=traceback_in("capture", 131))
    count_all(using)
    [group] = failures(ALL, "24h", NOW).groups
    assert (group.first_seen, group.last_seen) == (first.finished_at, newest.finished_at)
    assert (group.path, group.line, group.function) == ("payments/gateway.py", 131, "capture")
    assert (group.own_code, group.example_id, group.name) == (True, newest.pk, "shop.pay")
    shown = details(ALL, [group], "24h", NOW, with_payload=True)[group.fingerprint]
    assert shown.workers == ["celery@a", "celery@b"]
    assert shown.message == "GatewayTimeout('3.0 s')"
    assert sum(shown.bars) == group.count == 2
    assert details(ALL, [group], "24h", NOW, with_payload=False)[group.fingerprint].message == ""


@pytest.mark.parametrize("period", PERIODS)
def test_bars_count_what_failed_in_each_stretch(using: str, watched: str, period: str) -> None:
    scatter(using)
    found = failures(ALL, period, NOW)
    shown = details(ALL, found.groups, period, NOW, with_payload=False)
    for group in found.groups:
        assert sum(shown[group.fingerprint].bars) == group.count
        assert group_with_details(ALL, group.fingerprint, period, NOW) == (group, shown[group.fingerprint])
        assert 56 <= len(shown[group.fingerprint].bars) <= 61 or period == "24h"


def test_what_a_group_is_doing(using: str, watched: str) -> None:
    for days in range(1, 10):
        make_failure(END - days * DAY - HOUR, "ongoing", using)
        make_failure(END - days * DAY - HOUR, "spiking", using)
    for minute in range(12):
        make_failure(END - timedelta(minutes=minute + 2), "spiking", using)
    make_failure(END - 2 * HOUR, "ongoing", using)
    make_failure(END - HOUR, "new", using)
    make_failure(END - 20 * DAY, "back", using)
    make_failure(END - HOUR, "back", using)
    make_failure(END - 30 * HOUR, "mended", using, name="shop.mended")
    for minute in range(RECOVERED_AFTER):
        make_task(name="shop.mended", using=using, finished_at=END - timedelta(minutes=minute + 70))
    muted = make_failure(END - HOUR, "muted", using)
    FailureTriage.objects.create(fingerprint=muted.fingerprint, muted_until=NOW + DAY)
    count_all(using)
    found = {group.function: group.standing for group in failures(ALL, "7d", NOW).groups}
    assert found == {
        "ongoing": Standing.ONGOING,
        "spiking": Standing.SPIKING,
        "new": Standing.NEW,
        "back": Standing.CAME_BACK,
        "mended": Standing.RECOVERED,
        "muted": Standing.MUTED,
    }


def test_acknowledged_trouble_is_no_trouble_until_it_spikes_on_another_day(using: str, watched: str) -> None:
    new = make_failure(END - HOUR, using=using)
    count_all(using)
    [group] = failures(ALL, "24h", NOW).groups
    assert group.is_trouble
    seen = FailureTriage.objects.create(fingerprint=new.fingerprint, acknowledged_at=NOW)
    [group] = failures(ALL, "24h", NOW).groups
    assert group.acknowledged
    assert not group.is_trouble
    make_failure(END - 20 * DAY, using=using)
    count_all(using)
    [group] = failures(ALL, "24h", NOW).groups
    assert (group.standing, group.acknowledged) == (Standing.CAME_BACK, True)
    FailureTriage.objects.filter(pk=seen.pk).update(acknowledged_at=NOW - 15 * DAY)
    [group] = failures(ALL, "24h", NOW).groups
    assert group.is_trouble


def test_a_limited_user_sees_the_groups_of_visible_names_and_queues_alone(using: str, watched: str) -> None:
    make_failure(END - HOUR, "capture", using, queue="fast")
    make_failure(END - 5 * HOUR, "capture", using, queue="slow")
    hidden = make_failure(END - HOUR, "refund", using, queue="slow")
    other = make_failure(END - HOUR, "capture", using, name="ledger.close", queue="fast")
    count_all(using)
    fast = Visibility(queues=("fast",))
    assert {(g.name, g.count) for g in failures(fast, "24h", NOW).groups} == {
        ("shop.pay", 1),
        ("ledger.close", 1),
    }
    [shop] = [g for g in failures(fast, "24h", NOW).groups if g.name == "shop.pay"]
    assert shop.first_seen == END - HOUR
    assert details(fast, [shop], "24h", NOW, with_payload=False)[shop.fingerprint].workers is None
    shops = Visibility(names=("shop.*",))
    assert {g.name for g in failures(shops, "24h", NOW).groups} == {"shop.pay"}
    assert failures(shops, "24h", NOW).matrix == [("GatewayTimeout", (2, 2, 3, 3))]
    assert failure_group(fast, hidden.fingerprint or "", "24h", NOW) is None
    assert failure_group(shops, other.fingerprint or "", "24h", NOW) is None
    assert failure_group(ALL, hidden.fingerprint or "", "24h", NOW) is not None


def test_one_group_is_found_whenever_it_failed(using: str, watched: str) -> None:
    old = make_failure(END - 200 * DAY, using=using)
    count_all(using)
    found = failure_group(ALL, old.fingerprint or "", "24h", NOW)
    assert found is not None
    group, _counts = found
    assert (group.count, group.last_seen) == (0, old.finished_at)
    assert failure_group(ALL, "ffffffffffffffff", "24h", NOW) is None
    assert failure_group(ALL, "\0", "24h", NOW) is None


def test_a_group_has_the_deploy_marks_of_the_period(using: str, watched: str) -> None:
    for ago, label in ((30 * HOUR, "older"), (HOUR / 3, "v2"), (2 * HOUR, "v1"), (-HOUR, "later")):
        DeployMark.objects.create(at=END - ago, label=label)
    task = make_failure(END - HOUR, using=using, worker="celery@b")
    make_failure(END - HOUR, using=using, worker="celery@a")
    count_all(using)
    for visibility, workers in ((ALL, ["celery@a", "celery@b"]), (Visibility(names=("shop.*",)), None)):
        found = group_with_details(visibility, task.fingerprint or "", "24h", NOW)
        assert found is not None
        assert [(mark.at, mark.label) for mark in found[1].marks] == [
            (END - 2 * HOUR, "v1"),
            (END - HOUR / 3, "v2"),
        ]
        assert found[1].workers == workers


def test_a_task_knows_how_many_failed_like_it(using: str, watched: str) -> None:
    task = make_failure(END - HOUR, using=using)
    make_failure(END - 2 * DAY, using=using)
    make_failure(END - 40 * DAY, using=using)
    make_failure(END - HOUR, "refund", using)
    count_all(using)
    assert failures_like(ALL, task, NOW) == 2
    assert failures_like(Visibility(names=("none",)), task, NOW) == 0
    assert failures_like(ALL, make_task(using=using), NOW) == 0


def test_failures_without_a_fingerprint_count_but_have_no_group(using: str, watched: str) -> None:
    Task.objects.using(using).filter(pk=make_failure(END - HOUR, using=using).pk).update(fingerprint=None)
    count_all(using)
    found = failures(ALL, "24h", NOW)
    assert (found.total, found.ungrouped, list(found.groups)) == (1, 1, [])
    assert found.matrix == [("GatewayTimeout", (1, 1, 1, 1))]
    assert not FailureGroup.objects.exists()


def test_arguments_of_failing_runs_are_compared_with_those_that_succeeded(using: str, watched: str) -> None:
    for n in range(30):
        at = END - timedelta(minutes=n + 5)
        make_failure(at, using=using, args=f"({n},)", kwargs="{'country': 'AT'}")
        make_task(name="shop.pay", using=using, first_seen=at, args=f"({n},)", kwargs="{'country': 'DE'}")
        make_task(name="other", using=using, first_seen=at, args=f"({n},)", kwargs="{'country': 'FR'}")
    count_all(using)
    [group] = failures(ALL, "24h", NOW).groups
    found = group_runs(ALL, group, with_payload=True)
    assert [task.finished_at for task in found.newest] == [
        END - timedelta(minutes=n + 5) for n in range(LISTED)
    ]
    assert found.comparison is not None
    assert (found.comparison.failing, found.comparison.others) == (30, 30)
    assert [(each.place, each.value) for each in found.comparison.values] == [("country", "'AT'")]
    without = group_runs(ALL, group, with_payload=False)
    assert (len(without.newest), without.comparison) == (LISTED, None)
    assert {"args", "kwargs", "exception"} <= without.newest[0].get_deferred_fields()
    assert not group_runs(Visibility(queues=("none",)), group, with_payload=True).newest
