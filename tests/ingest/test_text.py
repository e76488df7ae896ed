"""What a database takes: no NUL, no lone surrogates, no infinite numbers, bounded in every direction."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.text import (
    CUT_MARK,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_MARK_LENGTH,
    TOO_DEEP,
    TOTAL_LIMIT_FACTOR,
    storable,
    storable_json,
)

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ANY_TEXT, inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize("text", ["", "plain", "naïve", "夜の図書館 🏳️‍🌈", "line\nline\t\x01\x7f"])
def test_text_that_a_database_takes_is_returned_as_it_is(text: str) -> None:
    assert storable(text, 100) is text


def test_nul_is_shown_as_its_symbol() -> None:
    assert storable("a\0b\0", 100) == "a␀b␀"


def test_lone_surrogate_becomes_the_replacement_character() -> None:
    assert storable("a\ud800b\udfffc", 100) == "a\ufffdb\ufffdc"


def test_text_at_the_limit_is_not_cut() -> None:
    assert storable("x" * 50, 50) == "x" * 50


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    cut = storable("x" * 10_485_760, 1_000)
    assert cut == "x" * 1_000 + "… [cut: 10,485,760 characters]"
    assert CUT_MARK.search(cut)


@given(ANY_TEXT, st.integers(0, 40))
def test_any_text_becomes_storable_within_its_limit(text: str, limit: int) -> None:
    stored = storable(text, limit)
    assert "\0" not in stored
    stored.encode()
    assert len(stored) <= limit + MAX_MARK_LENGTH
    assert (CUT_MARK.search(stored) is not None) >= (len(text) > limit)


@pytest.mark.parametrize("value", [None, True, 5, 2.5, "x", [], {}, ["a", 1], {"a": "b", "n": None}])
def test_value_that_a_database_takes_is_returned_as_it_is(value: Any) -> None:
    assert storable_json(value, 100) is value


def test_texts_and_keys_are_cleaned_at_every_level() -> None:
    assert storable_json({"a\0": [{"\ud800": "\0"}]}, 100) == {"a␀": [{"\ufffd": "␀"}]}


def test_keys_that_become_equal_are_both_kept() -> None:
    assert sorted(storable_json({"a\0": 1, "a␀": 2}, 100).values()) == [1, 2]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_number_that_json_does_not_know_becomes_text(number: float) -> None:
    assert storable_json({"load": [number]}, 100) == {"load": [str(number)]}


def test_integer_that_no_encoder_takes_becomes_a_note() -> None:
    assert storable_json([10**5_000], 100) == ["… [cut: an integer of 16,610 bits]"]


def test_hostile_depth_is_cut() -> None:
    value: Any = "deep"
    for _ in range(100_000):
        value = [value]
    stored = storable_json(value, 100)
    for _ in range(MAX_DEPTH):
        (stored,) = stored
    assert stored == TOO_DEEP


def test_items_beyond_the_limit_are_left_out_and_counted() -> None:
    stored = storable_json([*range(MAX_ITEMS + 5)], 100)
    assert len(stored) == MAX_ITEMS + 1
    assert stored[-1] == "… [cut: 5 more]"
    assert storable_json({str(n): n for n in range(MAX_ITEMS + 5)}, 100_000)["…"] == "… [cut: 5 more]"


def test_one_long_text_leaves_room_for_the_others() -> None:
    stored = storable_json({"result": "x" * 1_000, "traceback": "y" * 1_000, "retries": "3"}, 100)
    assert stored["result"].startswith("x" * 100 + "…")
    assert stored["traceback"].startswith("y" * 100 + "…")
    assert stored["retries"] == "3"


def test_many_texts_are_bounded_in_all() -> None:
    stored = storable_json([["x" * 100] * 50] * 50, 100)
    assert sum(text.count("x") for texts in stored for text in texts) <= TOTAL_LIMIT_FACTOR * 100


@given(JSON_VALUES, st.integers(0, 40))
def test_any_json_value_becomes_storable(value: Any, limit: int) -> None:
    encoded = json.dumps(storable_json(value, limit), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in encoded.replace("\\\\", "")
    encoded.encode()
