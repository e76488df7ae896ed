"""The search box: what is understood, what is a mistake and where, and that nothing else can happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models.task import State
from monitoring.queries.search import grammar
from monitoring.queries.search.fields import FIELDS, STATES
from monitoring.queries.search.grammar import parse
from monitoring.queries.search.printing import text_of
from monitoring.queries.search.tree import (
    And,
    Bound,
    Missing,
    Node,
    Not,
    Or,
    Pattern,
    Range,
    Term,
    Value,
    conjuncts,
)
from tests.queries.search.trees import trees


def word(*pieces: str) -> Term:
    return Term("", (Pattern(pieces),))


def term(field: str, *values: str | Value) -> Term:
    return Term(field, tuple(Pattern((value,)) if isinstance(value, str) else value for value in values))


def at_least(text: str) -> Range:
    return Range(low=Bound(text))


UNDERSTOOD: list[tuple[str, Node | None]] = [
    ("", None),
    ("  ", None),
    ("capture", word("capture")),
    ('"504 Gateway"', word("504 Gateway")),
    ("a*b", word("a", "b")),
    ("a**b", word("a", "b")),
    ('"a*b"', word("a*b")),
    ("a\\*b", word("a*b")),
    ("12:30", word("12:30")),
    ("order-5", word("order-5")),
    ("and", word("and")),
    ('"AND"', word("AND")),
    ("state:failure,RETRY", term("state", "FAILURE", "RETRY")),
    ("STATUS:LOST", term("state", "LOST")),
    ("state:LOST,LOST", term("state", "LOST")),
    ("name:payments.*", term("name", Pattern(("payments.", "")))),
    ('name:"a, b",c', term("name", "a, b", "c")),
    ('queue:""', term("queue", Missing())),
    ("args:(1, x", And((term("args", "(1,"), word("x")))),
    ("args:(1,2)", term("args", "(1,2)")),
    ("(args:f(1))", term("args", "f(1)")),
    ("args:a,b", term("args", "a,b")),
    ("host:celery@pay-1", term("worker", "celery@pay-1")),
    ("id:9f31c2d4", term("id", "9f31c2d4")),
    ("runtime:>2s", term("runtime", Range(low=Bound("2s", inclusive=False)))),
    ("runtime:>=1m30s", term("runtime", at_least("1m30s"))),
    ("wait:<0.5", term("wait", Range(high=Bound("0.5", inclusive=False)))),
    ("runtime:1s..5s", term("runtime", Range(Bound("1s"), Bound("5s")))),
    ("retries:2", term("retries", Range(Bound("2"), Bound("2")))),
    ("retries:..3", term("retries", Range(high=Bound("3")))),
    ("received:-2h", term("received", at_least("-2h"))),
    ("received:>-2h", term("received", Range(low=Bound("-2h", inclusive=False)))),
    ("received:14:00..14:30", term("received", Range(Bound("14:00"), Bound("14:30")))),
    ('sent:"2026-11-22 14:18"', term("sent", Range(Bound("2026-11-22 14:18"), Bound("2026-11-22 14:18")))),
    ("a b", And((word("a"), word("b")))),
    ("a AND b", And((word("a"), word("b")))),
    ("a OR b c", Or((word("a"), And((word("b"), word("c")))))),
    ("(a OR b) c", And((Or((word("a"), word("b"))), word("c")))),
    ("-state:SUCCESS", Not(term("state", "SUCCESS"))),
    ("NOT a b", And((Not(word("a")), word("b")))),
    ('-"b c"', Not(word("b c"))),
    ("-(a OR b)", Not(Or((word("a"), word("b"))))),
    ("a - b", And((word("a"), word("-"), word("b")))),
]

#: Text, code of the mistake, and what it points at.
MISTAKES = [
    ("foo:1", "field", "foo"),
    ("a staet:LOST", "field", "staet"),
    ("state:NOPE", "state", "NOPE"),
    ("state:LOST,nope", "state", "nope"),
    ("state:", "empty", "state:"),
    ("state:a,", "state", "a"),
    ('""', "empty", '""'),
    ("*", "empty", "*"),
    ('a "b', "quote", '"'),
    ("a\\", "backslash", "\\"),
    ("(a", "parenthesis", "("),
    ("a)", "parenthesis", ")"),
    ("()", "empty", "()"),
    ("OR a", "operand", "OR"),
    ("a AND AND b", "operand", "AND"),
    ("a OR", "unfinished", ""),
    ("NOT", "unfinished", ""),
    ("runtime:2s", "comparison", "2s"),
    ("runtime:>fast", "duration", ">fast"),
    ("runtime:..", "range", ".."),
    ("retries:>1.5", "count", ">1.5"),
    ("retries:99999999999", "count", "99999999999"),
    ("received:tomorrow", "time", "tomorrow"),
    ("received:2026-02-30", "time", "2026-02-30"),
    ("received:>-200000d", "time", ">-200000d"),
    ("a" * 3_000, "length", "a" * 1_000),
    ("(" * 30 + "a" + ")" * 30, "depth", "("),
    ("NOT " * 30 + "a", "depth", "NOT"),
    ("a " * 60, "terms", "a"),
    ("name:" + ",".join(map(str, range(60))), "values", "name:" + ",".join(map(str, range(60)))),
]


@pytest.mark.parametrize(("text", "tree"), UNDERSTOOD)
def test_understood(text: str, tree: Node | None) -> None:
    assert parse(text) == grammar.Parsed(tree)


@pytest.mark.parametrize(("text", "code", "pointed_at"), MISTAKES)
def test_a_mistake_is_explained_at_its_place(text: str, code: str, pointed_at: str) -> None:
    parsed = parse(text)
    assert parsed.tree is None
    mistake = parsed.mistake
    assert mistake is not None
    assert mistake.code == code
    assert mistake.message.endswith(".")
    assert text[mistake.position : mistake.position + mistake.length] == pointed_at


def test_a_slip_of_the_hand_is_told_the_nearest_field() -> None:
    mistake = parse("staet:LOST").mistake
    assert mistake is not None
    assert "state" in mistake.message


@given(st.text(max_size=60) | st.text(alphabet='ab:,()-"\\* ANDOR>=.1h\0', max_size=30))
def test_any_text_has_a_meaning_or_a_mistake(text: str) -> None:
    parsed = parse(text)
    if parsed.mistake is not None:
        assert parsed.tree is None
        assert 0 <= parsed.mistake.position <= len(text)
        assert parsed.mistake.position + parsed.mistake.length <= len(text)
    elif parsed.tree is not None:
        assert parse(text_of(parsed.tree)).tree == parsed.tree


@given(trees)
def test_printing_a_tree_and_reading_it_gives_the_tree(tree: Node) -> None:
    assert parse(text_of(tree)) == grammar.Parsed(tree)


@given(trees)
def test_the_parts_of_a_search_can_be_put_together_again(tree: Node) -> None:
    parts = conjuncts(tree)
    assert (And(parts) if len(parts) > 1 else parts[0]) == tree
    assert parse(" ".join(f"({text_of(part)})" for part in parts)).tree == tree


def test_each_term_knows_its_place() -> None:
    text = 'capture -state:LOST name:"a b"'
    parsed = parse(text)
    assert isinstance(parsed.tree, And)
    first, second, third = parsed.tree.children
    assert isinstance(first, Term)
    assert isinstance(second, Not)
    assert isinstance(second.child, Term)
    assert isinstance(third, Term)
    assert [text[slice(*each.span)] for each in (first, second.child, third)] == [
        "capture", "state:LOST", 'name:"a b"',
    ]  # fmt: skip


def test_states_are_those_of_the_model() -> None:
    assert tuple(State.values) == STATES


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_the_example_of_each_field_is_understood(field: object) -> None:
    assert parse(field.example).tree is not None  # type: ignore[attr-defined]
