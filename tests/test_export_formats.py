"""Files that no spreadsheet executes and every program reads back."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.export_formats import csv_cell, csv_line, json_line, looks_like_formula

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "\t=1", "\r=1", "\n=1",
    "\tplain", "\rplain", "\nplain", "＝1+1", "＋1", "－1+1", "＠SUM", "  =1+1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "\u202e=1", "\x01=1", "\0=1", "﹦1", "\u3000=1", "-2+3+cmd", "--1", "-", "=", "-1e9", "-１",
]  # fmt: skip
PLAIN = [
    "",
    "abc",
    "1",
    "-1",
    "-12.50",
    "a=1",
    "(48213,)",
    "{'a': -1}",
    "'=1'",
    "1e5",
    "é",
    "2026-11-22",
    "a\tb",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert csv_cell(text) == text


@given(TEXT)
def test_no_text_of_a_cell_begins_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert not looks_like_formula(cell)
    assert cell in (text, f"'{text}")


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_every_record_is_read_back_as_it_was_written(texts: list[str]) -> None:
    texts = [text.replace("\0", "") for text in texts]
    line = csv_line(texts).decode()
    assert list(csv.reader(io.StringIO(line, newline=""))) == [[csv_cell(text) for text in texts]]
    assert line.endswith("\r\n")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""), (0, "0"), (-3, "-3"), (0.25, "0.25"), (-0.5, "-0.5"), (True, "True"),
        (datetime(2026, 11, 22, 9, 0, 0, 5, timezone(timedelta(hours=9))), "2026-11-22T00:00:00.000005Z"),
    ],
)  # fmt: skip
def test_values_that_are_no_text(value: Any, cell: str) -> None:
    assert csv_cell(value) == cell


@given(st.one_of(TEXT, st.integers(), st.floats(), st.none(), st.booleans()))
def test_every_json_line_is_one_line_and_valid(value: Any) -> None:
    line = json_line(["a", "b"], [value, "x"])
    assert line.count(b"\n") == 1
    read = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    finite = not isinstance(value, float) or math.isfinite(value)
    assert read == {"a": value if finite else None, "b": "x"}


def test_times_are_iso_in_json_too() -> None:
    line = json_line(["at"], [datetime(2026, 11, 22, tzinfo=UTC)])
    assert json.loads(line) == {"at": "2026-11-22T00:00:00.000000Z"}


def test_half_a_character_breaks_no_file() -> None:
    assert csv_line(["\ud800"]).endswith(b"\r\n")
    assert json.loads(json_line(["a"], ["\ud800"]))
