"""The filter in the URL, and what chips, facets and the brush do to it."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.queries.search import editing
from monitoring.queries.search.grammar import parse
from monitoring.queries.search.printing import text_of
from monitoring.queries.search.question import Question, time_range
from monitoring.queries.search.tree import Node, Pattern, conjuncts
from tests.queries.search.trees import trees


def read(query: str) -> Question:
    return Question.read(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("query", "search"),
    [
        ("", ""),
        ("state=FAILURE&state=retry", "state:FAILURE,RETRY"),
        ("state=FAILURE,RETRY", "state:FAILURE,RETRY"),
        ("-queue=archive&-queue=old", "-queue:archive,old"),
        ("name=shop.*&worker=celery@a b", 'name:shop.* worker:"celery@a b"'),
        ("args=(1, 2)", 'args:"(1, 2)"'),
        ("runtime=>10s", "runtime:>10s"),
        ("received=-2h", "received:>=-2h"),
        ("q=a (b OR c)&state=LOST", "state:LOST a (b OR c)"),
        ("q=state:LOST&state=LOST", "state:LOST"),
        ("period=1h", "first_seen:>=-1h"),
        ("from=2026-11-22T14:18", "first_seen:>=2026-11-22T14:18"),
        ("state=&q=&name=%20", ""),
        ("page=tasks&utm_source=x&task=9f31&column=state", ""),
    ],
)
def test_parameters_and_words_are_one_search(query: str, search: str) -> None:
    question = read(query)
    assert question.mistakes == ()
    assert conjuncts(question.tree) == conjuncts(parse(search).tree)


def flat(tree: Node | None) -> set[Node]:
    """Without parentheses that say nothing: alone in ``q``, "(a b)" is two terms."""
    found = set(conjuncts(tree))
    return found if tree in found else set().union(*map(flat, found))


@given(trees)
def test_a_question_survives_its_own_url(tree: Node) -> None:
    question = Question(tree)
    again = Question.read(question.parameters())
    assert again.mistakes == ()
    assert flat(again.tree) == flat(tree)
    assert Question.read(again.parameters()) == again
    assert Question.read(parse_qsl(again.query_string(sort="-runtime")[1:], keep_blank_values=True)) == again


@given(st.lists(st.tuples(st.sampled_from(["q", "state", "-name", "runtime", "received", "to", "x", "id"]),
                          st.text(max_size=12)), max_size=5))  # fmt: skip
def test_any_parameters_have_a_meaning_or_mistakes(parameters: list[tuple[str, str]]) -> None:
    question = Question.read(parameters)
    if not question.mistakes:
        assert Question.read(question.parameters()) == question
    for mistake in question.mistakes:
        assert mistake.parameter in {name for name, _ in parameters}


def test_a_mistake_says_in_which_parameter_it_is_and_keeps_what_was_typed() -> None:
    question = read("state=NOPE&name=a&q=(b")
    assert [(mistake.parameter, mistake.code) for mistake in question.mistakes] == [
        ("state", "state"), ("q", "parenthesis"),
    ]  # fmt: skip
    assert question.text == "(b"
    assert ("q", "(b") in question.parameters()


def test_too_many_terms_in_all_are_a_mistake() -> None:
    question = read("state=LOST&q=" + "+".join(f"w{number}" for number in range(50)))
    assert [mistake.code for mistake in question.mistakes] == ["terms"]


def test_a_chip_removes_its_own_part_alone() -> None:
    tree = parse("state:LOST (a OR b) -queue:old c").tree
    left = [text_of(editing.remove(tree, part)) for part in conjuncts(tree)]
    assert left == [
        "(a OR b) -queue:old c", "state:LOST -queue:old c", "state:LOST (a OR b) c", "state:LOST (a OR b) -queue:old",
    ]  # fmt: skip


def test_the_last_chip_leaves_everything() -> None:
    tree = parse("state:LOST").tree
    assert tree is not None
    assert editing.remove(tree, tree) is None


def test_a_box_of_a_facet_adds_and_removes_its_value() -> None:
    lost, retry = Pattern(("LOST",)), Pattern(("RETRY",))
    tree = editing.toggle(parse("name:a x").tree, "state", lost)
    assert text_of(tree) == "name:a x state:LOST"
    tree = editing.toggle(tree, "state", retry)
    assert text_of(tree) == "name:a x state:LOST,RETRY"
    assert editing.chosen(tree, "state") == (lost, retry)
    tree = editing.toggle(editing.toggle(tree, "state", lost), "state", retry)
    assert text_of(tree) == "name:a x"


def test_a_facet_does_not_touch_what_stands_within_an_or() -> None:
    tree = parse("(state:LOST OR a) state:RETRY").tree
    assert text_of(editing.remove_field(tree, "state")) == "state:LOST OR a"
    assert editing.chosen(tree, "state") == (Pattern(("RETRY",)),)


def test_the_brush_replaces_the_time_range_in_its_place() -> None:
    tree = parse("received:-2h state:LOST").tree
    term = time_range("received", "2026-11-22T14:18:02Z", "2026-11-22T14:42:18Z")
    brushed = editing.replace(tree, "received", *term.values)
    assert text_of(brushed) == "received:2026-11-22T14:18:02Z..2026-11-22T14:42:18Z state:LOST"
    assert text_of(editing.replace(brushed, "received")) == "state:LOST"


def test_what_is_added_twice_is_there_once() -> None:
    tree = parse("a b").tree
    extra = parse("b c").tree
    assert extra is not None
    assert text_of(editing.add(tree, extra)) == "a b c"
