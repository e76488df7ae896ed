"""The database finds what the tree means, no more and no less, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.models import Task
from monitoring.queries.choices import all_names
from monitoring.queries.search.compiler import Circumstances, compile_tree
from monitoring.queries.search.grammar import parse
from monitoring.queries.search.tree import And, Bound, Node, Range, Term
from tests.factories import make_task
from tests.queries.search.oracle import means
from tests.queries.search.trees import trees

NOW = datetime(2026, 11, 22, 14, 18, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
#: Makes any text term lawful: everything was first seen within it.
ALWAYS = Term("first_seen", (Range(low=Bound("2001-01-01")),))
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "AB*",
    "b[a]",
    "a?b",
    "%",
    "_",
    "\\",
    "'\"",
    "é",
    "É",
    "(a, b)",
    "-a",
    "a\nb",
    "x" * 1_099 + "ab",
]


def make_tasks(using: str) -> list[Task]:
    tasks = []
    for number, text in enumerate(TEXTS):
        seen = NOW - timedelta(hours=number * 3)
        other = TEXTS[-number]
        known = number % 4 != 3
        tasks.append(
            make_task(
                f"{text}-{number}"[:40],
                using,
                state=("SUCCESS", "FAILURE", "RETRY", "LOST", "PENDING")[number % 5],
                name=text[:40] if known else None,
                worker=other[:40] if known else None,
                queue=other[:40],
                args=text,
                kwargs=other if known else None,
                result=text if number % 3 else None,
                exception=other if number % 2 else None,
                exception_type=text[:40] if number % 2 else None,
                fingerprint=text[:16] if number % 2 else None,
                traceback=text + other if number % 2 else None,
                runtime=(None, 0.085, 2, 90, 3600.0)[number % 5],
                wait=(0, None, 1.5)[number % 3],
                retries=(None, 0, 1, 2, 5)[number % 5],
                root_id=(f"{text}-{number}"[:40], other[:40], None)[number % 3],
                parent_id=other[:40] if number % 3 == 1 and known else None,
                first_seen=seen,
                sent_at=seen if known else None,
                received_at=seen,
                started_at=seen + timedelta(minutes=number) if known else None,
                finished_at=seen + timedelta(hours=1) if number % 2 else None,
                eta=NOW + timedelta(hours=number - 8) if known else None,
            )
        )
    return tasks


def found(tree: Node, using: str, *, with_payload: bool = True, text_index: bool = False) -> set[str]:
    circumstances = Circumstances(NOW, ZONE, with_payload, text_index, all_names)
    compiled = compile_tree(tree, circumstances)
    assert compiled.mistakes == ()
    return set(Task.objects.using(using).filter(compiled.condition).values_list("pk", flat=True))


def meant(tree: Node, using: str, *, with_payload: bool = True) -> set[str]:
    return {
        task.pk
        for task in Task.objects.using(using).all()
        if means(tree, task, NOW, ZONE, with_payload=with_payload)
    }


@pytest.mark.usefixtures("watched")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_finds_what_the_tree_means(using: str, tree: Node) -> None:
    if not Task.objects.using(using).exists():
        make_tasks(using)
    bounded = And((tree, ALWAYS))
    assert found(bounded, using) == meant(bounded, using)


#: What hypothesis may not draw every time.
SEARCHES = [
    "-queue:zz", "-worker:b*", 'worker:""', '-worker:""', "name:*", "-name:*", "name:*a*", 'name:"a?b"', "name:a*b",
    "id:a", "id:*-3", "root:a", '-root:""', "args:ab", "args:AB", "args:É", "-args:*", "args:%", "args:_", "args:\\\\",
    "kwargs:a", "-kwargs:a", "exception:a", "traceback:xab", "args:xab", "ab", "-ab", "state:failure,LOST",
    "-(state:FAILURE OR -worker:a)", "-(-(-worker:a state:FAILURE))", "runtime:>=2s", "-runtime:>=2s", "retries:1..2",
    "retries:0,5", 'wait:""', "received:-5h", "received:2026-11-22", "-finished:-5h", "eta:>now", "eta:now",
    "received:>2026-11-22", "received:<=2026-11-22", "received:..14:00", "started:<-1d", "finished:<=-12h",
]  # fmt: skip


@pytest.mark.usefixtures("watched")
def test_finds_what_each_search_means(using: str) -> None:
    make_tasks(using)
    for search in SEARCHES:
        tree = And((parse(search).tree, ALWAYS))  # type: ignore[arg-type]
        for with_payload in (True, False):
            if not with_payload and any(name in search for name in ("args", "traceback")):
                continue
            assert found(tree, using, with_payload=with_payload) == meant(
                tree, using, with_payload=with_payload
            ), search


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(databases=["default", "postgresql"])
def test_the_index_finds_what_is_found_without_it(using: str) -> None:
    make_tasks(using)
    for search in ("xab", "args:xxxab", "exception:xxx", "xab OR state:LOST", "exception:*xx*xab"):
        tree = parse(search).tree
        assert tree is not None
        bounded = And((tree, ALWAYS))
        assert found(bounded, using, text_index=True) == found(bounded, using)
        assert found(tree, using, text_index=True) == found(bounded, using)


def mistakes(search: str, **circumstances: Any) -> list[tuple[str, int]]:
    tree = parse(search).tree
    given = {"with_payload": True, "text_index": False, **circumstances}
    return [
        (each.code, each.position) for each in compile_tree(tree, Circumstances(NOW, ZONE, **given)).mistakes
    ]


def test_a_text_term_needs_a_time_range_where_there_is_no_index() -> None:
    assert mistakes("state:LOST args:x") == [("needs_range", 11)]
    assert mistakes("args:x received:-2h") == []
    assert mistakes("args:x received:<-2h") == [("needs_range", 0)], "a range without a start bounds nothing"
    assert mistakes("args:x (received:-2h OR state:LOST)") == [("needs_range", 0)]
    assert mistakes("args:xyz", text_index=True) == []
    assert mistakes("args:xy", text_index=True) == [("needs_range", 0)], "an index of three letters"
    assert mistakes("-args:xyz", text_index=True) == [("needs_range", 1)], "no index finds what is not there"
    assert mistakes("traceback:xyz", text_index=True) == [("needs_range", 0)], "not in the index"


def test_who_may_not_see_payload_may_not_look_into_it() -> None:
    for field in ("args", "kwargs", "result", "traceback"):
        assert mistakes(f"{field}:x received:-2h", with_payload=False) == [("permission", 0)]
        assert mistakes(f'-{field}:"" received:-2h', with_payload=False) == [("permission", 1)]


@pytest.mark.usefixtures("watched")
def test_no_word_guesses_a_payload_that_may_not_be_seen(using: str) -> None:
    text_index = using == "postgresql"
    secret = make_task("id", using, name="n", args="hunter2", kwargs="hunter2", result="hunter2",
                       exception="hunter2", traceback="hunter2", first_seen=NOW)  # fmt: skip
    for search in ("hunter2", "exception:hunter2", "*unter*"):
        tree = And((parse(search).tree, ALWAYS))  # type: ignore[arg-type]
        assert found(tree, using, text_index=text_index) == {secret.pk}
        assert found(tree, using, text_index=text_index, with_payload=False) == set()


@pytest.mark.usefixtures("watched")
def test_a_word_without_a_time_range_is_looked_for_in_ids_and_names(using: str) -> None:
    make_task("1", using, name="shop.capture", args="needle", first_seen=NOW)
    make_task("9f31c2d4-0000", using, name="other", args="capture", first_seen=NOW)

    def compiled(search: str) -> Any:
        return compile_tree(parse(search).tree, Circumstances(NOW, ZONE, True, False, all_names))

    assert compiled("CAPTURE").texts_skipped
    assert not compiled("capture received:-2h").texts_skipped
    for search, ids in (
        ("CAPTURE", {"1"}),
        ("needle", set()),
        ("9f31c2d4", {"9f31c2d4-0000"}),
        ("9f3*00", {"9f31c2d4-0000"}),
    ):
        matching = Task.objects.using(using).filter(compiled(search).condition)
        assert set(matching.values_list("pk", flat=True)) == ids, search


@given(tree=trees, with_payload=st.booleans(), text_index=st.booleans())
def test_any_tree_has_a_condition_or_mistakes(tree: Node, with_payload: bool, text_index: bool) -> None:
    compiled = compile_tree(tree, Circumstances(NOW, ZONE, with_payload, text_index))
    str(Task.objects.filter(compiled.condition).query) if not compiled.mistakes else None


@pytest.mark.usefixtures("watched")
def test_a_uuid_is_found_in_either_case_by_ranges_of_the_index(using: str) -> None:
    lower, upper = "9f31c2d4-07be-4f0a-9d35-51c6f8a77e02", "9F31C2D4-07BE-4F0A-9D35-000000000000"
    for task_id in (lower, upper, "9f31c2d5-07be", "abcdefg"):
        make_task(task_id, using)
    circumstances = Circumstances(NOW, ZONE, True, False)

    def found(search: str) -> set[str]:
        condition = compile_tree(parse(search).tree, circumstances).condition
        return set(Task.objects.filter(condition).values_list("pk", flat=True))

    assert found("9f31c2d4") == found("9F31C2D4") == found("id:9F31c2d4") == {lower, upper}
    assert found(lower.upper()) == found(lower) == {lower}
    assert found("ABCDEFG") == set(), "too short for a UUID"
    tasks = Task.objects.filter(compile_tree(parse(lower.upper()).tree, circumstances).condition)
    with connections[using].cursor() as cursor:
        if using == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "index" in tasks.explain().lower()
