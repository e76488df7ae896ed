"""Values as Celery prints them, read into trees."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.redaction import Redactor
from monitoring.literals.tree import Kind, Node, read
from tests.growth import assert_time_grows_with_length


def leaves(node: Node) -> list[str]:
    return [node.text] if not node.children else [text for child in node.children for text in leaves(child)]


def test_arguments_become_a_tree() -> None:
    tree = read(
        "{'order_id': 48213, 'amount': '129.90', 'customer': {'id': 1}, 'lines': [1, (2,)], 'note': None}"
    )
    assert tree is not None
    assert [(child.key, child.kind, child.text) for child in tree.children] == [
        ("'order_id'", Kind.NUMBER, "48213"),
        ("'amount'", Kind.STRING, "'129.90'"),
        ("'customer'", Kind.DICT, "{'id': 1}"),
        ("'lines'", Kind.LIST, "[1, (2,)]"),
        ("'note'", Kind.WORD, "None"),
    ]
    assert tree.children[3].children[1].kind is Kind.TUPLE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("()", Kind.TUPLE),
        ("{}", Kind.DICT),
        ("set()", Kind.OBJECT),
        ("{1, 2}", Kind.SET),
        ("-1.5e-9", Kind.NUMBER),
        ("b'x'", Kind.STRING),
        ("True", Kind.WORD),
        ('{"a": [true, null]}', Kind.DICT),
        ("[redacted]", Kind.REDACTED),
        ("'[redacted]'", Kind.REDACTED),
        ("Decimal('1.50')", Kind.OBJECT),
        ("datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)", Kind.OBJECT),
        ("<Order: Anna's <b>>", Kind.OBJECT),
        ("...", Kind.CUT),
    ],
)
def test_kinds_of_values(text: str, kind: Kind) -> None:
    tree = read(text)
    assert tree is not None
    assert tree.kind is kind
    assert tree.text == text


@pytest.mark.parametrize(
    "text",
    ["", "hello world", "[1, 2", "[1 2]", "(1,, 2)", "'abc", "[redacted: not readable]", "{'a': }", "1 2",
     "os.system", "{'a': 'b'} … [cut: 10 characters]", "[" * 5_000 + "]" * 5_000,
     "[" + "1," * 200_000 + "]", "__import__", "lambda: 1"],
)  # fmt: skip
def test_what_is_no_value_has_no_tree(text: str) -> None:
    assert read(text) is None


def test_what_was_redacted_is_no_list() -> None:
    redacted = Redactor().text(repr({"card_token": "secret", "password": ["a", "b"], "amount": 5}))
    tree = read(redacted)
    assert tree is not None
    assert [(child.key, child.kind) for child in tree.children] == [
        ("'card_token'", Kind.REDACTED),
        ("'password'", Kind.REDACTED),
        ("'amount'", Kind.NUMBER),
    ]


@pytest.mark.parametrize(
    "value", [{"a": "x" * 5_000}, list(range(2_000)), ["y" * 600, "z" * 600], {"a": {"b": {"c": {"d": 1}}}}]
)
def test_what_celery_cut_is_found(value: Any) -> None:
    tree = read(saferepr(value, 1024))
    assert tree is not None
    assert tree.is_cut


def test_what_celery_did_not_cut_is_whole() -> None:
    tree = read(saferepr({"a": [1, "it's", b"\xff", Decimal("1.5"), None, ()]}, 1024))
    assert tree is not None
    assert not tree.is_cut
    assert len(tree.children[0].children) == 6


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@given(VALUES)
def test_every_repr_has_a_tree_with_all_of_its_text(value: Any) -> None:
    text = repr(value)
    tree = read(text)
    assert tree is not None
    assert tree.text == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_every_json_has_a_tree(value: Any) -> None:
    assert read(json.dumps(value)) is not None


@given(st.text(alphabet="[](){}<>\"'\\,:. a1.bNone", max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    tree = read(text)
    assert tree is None or text.strip() == tree.text


@pytest.mark.parametrize(
    "unit", ["'a", "('", "a(", "<", "{'a':", "[1,", "\\'", "'\\", "a.", "1_", " ", "...,", "<'>"]
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    # Eight times the text: a quadratic reader would take sixty-four times as long.
    assert_time_grows_with_length(read, "[" + unit * 4_000, "[" + unit * 32_000, most=40, least=0.0005)
