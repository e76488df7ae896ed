"""Counts beside the filters, the histogram above the list, and suggestions: the same filter, honestly counted."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from monitoring.models import Task
from monitoring.queries import facets as facets_module
from monitoring.queries import histogram as histogram_module
from monitoring.queries.facets import Facet, facets
from monitoring.queries.histogram import Histogram, histogram
from monitoring.queries.reading import OutOfTime, Reading
from monitoring.queries.search.fields import STATES
from monitoring.queries.search.question import Question
from monitoring.queries.suggestions import Suggestion, suggestions
from monitoring.queries.task_list import Asked
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
EVERYTHING = Visibility.everything()


def asked(query: str = "", visibility: Visibility = EVERYTHING) -> Asked:
    return Asked(visibility, Question.read([("q", query)]), True, NOW)


def counted(query: str = "", visibility: Visibility = EVERYTHING) -> dict[str, Facet]:
    with Reading() as reading:
        return {facet.field: facet for facet in facets(asked(query, visibility), reading).facets}


def numbers(facet: Facet) -> dict[str, int]:
    return {value.value: value.number for value in facet.values if value.number}


def drawn(query: str = "") -> Histogram:
    with Reading() as reading:
        found = histogram(asked(query), facets(asked(query), reading), reading)
    assert found is not None
    return found


class NoTime(Reading):
    def ask(self, question: Any) -> Any:
        raise OutOfTime


def make_tasks(using: str) -> None:
    for number in range(12):
        make_task(
            f"t{number:02}",
            using,
            name="ab"[number % 2],
            state=("SUCCESS", "FAILURE", "RETRY")[number % 3],
            exception_type=(None, "KeyError", "OSError")[number % 3],
            queue=None if number % 4 else "q",
            worker=f"w{number}",
            first_seen=NOW - timedelta(hours=number),
            received_at=NOW - timedelta(hours=number),
        )


@pytest.mark.usefixtures("watched")
def test_counts_ignore_the_facets_own_filter(using: str) -> None:
    make_tasks(using)
    found = counted("state:FAILURE name:b -worker:w7")
    assert numbers(found["state"]) == {"SUCCESS": 2, "FAILURE": 1, "RETRY": 2}
    assert numbers(found["name"]) == {"a": 2, "b": 1}
    assert numbers(found["exception_type"]) == {"KeyError": 1}
    assert numbers(found["worker"]) == {"w1": 1, "w7": 1}
    assert all(facet.complete for facet in found.values())


@pytest.mark.usefixtures("watched")
def test_every_state_has_a_row_and_what_is_chosen_is_ticked(using: str) -> None:
    make_tasks(using)
    found = counted("state:FAILURE,LOST -name:a name:c*")
    assert tuple(value.value for value in found["state"].values) == STATES
    assert [value.value for value in found["state"].values if value.chosen] == ["FAILURE", "LOST"]
    assert [value.value for value in found["name"].values if value.excluded] == ["a"]
    assert [value.value for value in counted("queue:gone")["queue"].values] == ["q", "gone"]


@pytest.mark.usefixtures("watched")
def test_the_most_frequent_are_listed_and_the_others_counted(using: str) -> None:
    make_tasks(using)
    for _ in range(5):
        make_task(using=using, worker="busy", first_seen=NOW)
    workers = counted()["worker"]
    assert workers.values[0].value == "busy"
    assert len(workers.values) == facets_module.LISTED
    assert workers.others == 1


@pytest.mark.usefixtures("watched")
def test_partial_counts_say_so(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tasks(using)
    monkeypatch.setattr(facets_module, "MOST", 4)
    found = counted()["state"]
    assert (found.counted, found.complete) == (4, False)
    assert numbers(found) == {"SUCCESS": 2, "FAILURE": 1, "RETRY": 1}, "of the newest"
    nothing = facets(asked(), NoTime())
    assert not nothing.in_time
    assert numbers(nothing.facets[0]) == {}
    assert histogram(asked(), nothing, NoTime()) is None


@pytest.mark.usefixtures("watched")
def test_fewer_are_counted_where_several_filters_have_to_hold(
    using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tasks(using)
    monkeypatch.setattr(facets_module, "MOST_OF_SEVERAL", 3)
    with Reading() as reading:
        one, two = (facets(asked(query), reading) for query in ("name:a", "name:a state:SUCCESS,FAILURE"))
        assert (one.total, one.is_counted, one.facets[0].complete) == (6, True, True)
        assert (two.total, two.is_counted, two.facets[0].complete) == (3, False, False)
        assert numbers(two.facets[0]) == {"SUCCESS": 1, "FAILURE": 1, "RETRY": 1}, "of the newest"
        assert two.facets[1].counted == 3
        rare = facets(asked("name:a worker:w2"), reading)
        assert (rare.total, rare.is_counted) == (1, True)


@pytest.mark.usefixtures("watched")
def test_facets_cost_one_question_whatever_is_filtered(
    using: str, django_assert_max_num_queries: Any
) -> None:
    make_tasks(using)
    for query in ("", "state:FAILURE name:a -queue:q worker:w1 exception_type:KeyError"):
        with django_assert_max_num_queries(5, connection=connections[using]):
            counted(query)


@pytest.mark.usefixtures("watched")
def test_visibility_limits_what_is_counted_and_suggested(using: str) -> None:
    make_tasks(using)
    only_a = Visibility(names=("a",))
    assert numbers(counted(visibility=only_a)["name"]) == {"a": 6}
    with Reading() as reading:
        assert [each.value for each in suggestions(only_a, "name", "", reading)] == ["a"]
        assert [each.value for each in suggestions(only_a, "worker", "w1", reading)] == ["w10"]
        assert suggestions(only_a, "id", "t01", reading) == []
        assert suggestions(Visibility(names=()), "queue", "", reading) == []


@pytest.mark.usefixtures("watched")
def test_the_histogram_counts_every_state_in_its_time(using: str) -> None:
    make_tasks(using)
    found = drawn()
    assert found.field == "first_seen"
    assert found.exact
    assert sum(bucket.total for bucket in found.buckets) == 12
    assert 40 <= len(found.buckets) <= histogram_module.MOST_BUCKETS + 1
    for bucket in found.buckets:
        within = Task.objects.filter(first_seen__gte=bucket.start, first_seen__lt=bucket.start + found.step)
        assert bucket.total == within.count()
        assert sum(bucket.counts.values()) == bucket.total
    assert sum(bucket.counts.get("FAILURE", 0) for bucket in drawn("state:FAILURE").buckets) == 4


@pytest.mark.usefixtures("watched")
def test_the_histogram_shows_what_lies_around_the_chosen_range(using: str) -> None:
    make_tasks(using)
    found = drawn("received:2026-11-22T08:00:00Z..2026-11-22T09:59:59Z")
    start, end = datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert (found.field, found.selected) == ("received", (start, end))
    assert found.buckets[0].start <= start - timedelta(hours=2)
    assert found.buckets[-1].start >= end
    assert sum(bucket.total for bucket in found.buckets) == 7, "from 05:00 to 11:00, both chosen and not"


def test_steps_at_most_double_so_that_buckets_are_neither_few_nor_many() -> None:
    steps = histogram_module.STEPS
    assert all(before < after <= 2 * before for before, after in itertools.pairwise(steps))


@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(databases=["default", "postgresql"])
@pytest.mark.usefixtures("watched")
def test_a_histogram_of_many_is_estimated_from_a_sample(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(40):
        Task.objects.using(using).bulk_create(
            [Task(task_id=f"{_}-{n}", first_seen=NOW - timedelta(minutes=n), updated_at=NOW, state="SUCCESS")
             for n in range(50)]
        )  # fmt: skip
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE monitoring_task")
    monkeypatch.setattr(histogram_module, "EXACT", 100)
    monkeypatch.setattr(histogram_module, "SAMPLE", 1_000)
    found = drawn()
    assert not found.exact
    assert 0 < sum(bucket.total for bucket in found.buckets) < 6_000
    short = drawn("first_seen:>2026-11-22T13:54:30Z")
    assert short.exact, "a short range is read whole"
    start, end = short.buckets[0].start, short.buckets[-1].start + short.step
    within = Task.objects.using(using).filter(first_seen__gte=start, first_seen__lt=end)
    assert sum(bucket.total for bucket in short.buckets) == within.count() > 100


@pytest.mark.usefixtures("watched")
def test_suggestions_exist_and_begin_with_what_was_typed_first(using: str) -> None:
    for name in ("shop.capture", "shop.recapture", "capture.shop", "mail"):
        make_task(using=using, name=name, exception_type="KeyError")
    with Reading() as reading:
        found = suggestions(EVERYTHING, "name", "CAPT", reading)
        assert [each.value for each in found] == ["capture.shop", "shop.capture", "shop.recapture"]
        assert suggestions(EVERYTHING, "exception", "key", reading) == [Suggestion("KeyError", 4)]
        assert suggestions(EVERYTHING, "state", "fail", reading) == [Suggestion("FAILURE")]
        for field in ("runtime", "args", "nope", "received", ""):
            assert suggestions(EVERYTHING, field, "x", reading) == []
        assert suggestions(EVERYTHING, "name", "\0", reading) == []
