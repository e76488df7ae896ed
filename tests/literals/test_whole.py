"""Only a text that proves what the value was becomes a value."""

from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from monitoring.literals.whole import NotWhole, whole_args, whole_kwargs

json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


@given(st.lists(json_values), st.integers(5, 1024), st.integers(1, 4))
def test_whatever_celery_cuts_or_escapes_what_is_read_is_what_it_was(args, length, levels):
    text = saferepr(tuple(args), length, levels)
    try:
        found = whole_args(text)
    except NotWhole:
        return
    assert repr(found) == repr(args)


@given(st.dictionaries(st.text(), json_values), st.integers(5, 1024))
def test_the_same_of_keyword_arguments(kwargs, length):
    try:
        found = whole_kwargs(saferepr(kwargs, length))
    except NotWhole:
        return
    assert repr(found) == repr(kwargs)


def test_ordinary_arguments_are_whole():
    assert whole_args("(48213, 'EUR', -1.5, None, True, [1, {'a': []}])") == [
        48213, "EUR", -1.5, None, True, [1, {"a": []}],
    ]  # fmt: skip
    assert whole_args("()") == []
    assert whole_args("[1]") == [1]
    assert whole_kwargs("{'order_id': 7, 'note': 'naïve ☃'}") == {"order_id": 7, "note": "naïve ☃"}
    assert whole_kwargs("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "'a'", "{}", "(1", "(1, ...)", "('aaa...',)", "([...], 1)", "({...},)", "(1, , ...)",
        "((1, 2),)", "({1, 2},)",
        "([redacted],)", "('amqp://u:[redacted]@h//',)", "('***',)", "('<hidden>',)", r"('a\'b',)", r"('C:\new',)",
        '("it\'s",)', "(b'a',)", "(u'a',)", "(Decimal('1'),)", "(datetime.date(2026, 1, 1),)", "(<Order: 5>,)",
        "(1j,)", "(1_0,)",
        "(nan,)", "(inf,)", "(1e999,)", "(true, null)", "({1: 2},)", "({'a': 1, 'a': 2},)", "('a' 'b',)", "('x', 'y'))",
        "('" + "a" * 1_000 + "',)", "(" + "[" * 60 + "]" * 60 + ",)", "… [cut: 10 characters]", "(-,)", "(1.,)",
    ],
)  # fmt: skip
def test_what_is_cut_redacted_or_no_json_is_not_whole(text):
    with pytest.raises(NotWhole):
        whole_args(text)
