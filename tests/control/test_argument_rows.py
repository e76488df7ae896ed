"""What is said of each argument of a task that is run again: exact, redacted, cut, or not certain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitoring.control.known_arguments import Known, Source, stored_here
from monitoring.control.task_verbs.argument_rows import (
    MOST,
    MOST_CHARACTERS,
    Worth,
    arguments_of,
    as_rows,
    rows_of,
)
from monitoring.models import Task

OURS = "xxx… [cut: 1,000 characters]"
TOLD = {"full_ts": 5, "full_tie": 6, "received_ts": 5, "received_tie": 6}


def worths(known: Known) -> dict[str, str]:
    return {each.name: each.worth.value for some in arguments_of(known).values() for each in some}


def lead_and_causes(known: Known) -> tuple[str, str]:
    rows = rows_of(known, arguments_of(known))
    return rows.lead, rows.causes


def redacted(arguments: list[Any], **fields: Any) -> Known:
    return stored_here(Task(arguments=json.dumps(arguments), arguments_are="redacted", **{**TOLD, **fields}))


def test_each_argument_is_exact_redacted_or_cut() -> None:
    known = redacted(
        [[48213, "a..."], {"card": {"number": "[redacted]"}, "lines": [OURS], "currency": "EUR"}]
    )
    assert worths(known) == {
        "args[0]": "exact",
        "args[1]": "cut",
        "card": "redacted",
        "lines": "cut",
        "currency": "exact",
    }


@pytest.mark.parametrize(
    "known",
    [
        redacted([[], {"token": "[redacted]", "amount": 5}], received_tie=7),
        redacted([[], {"token": "[redacted]", "amount": 5}], sent_ts=5_000_020),
        stored_here(Task(args="()", kwargs="{'token': [redacted], 'amount': 5}")),
    ],
    ids=["of an earlier delivery", "sent again since", "from a text"],
)
def test_a_value_that_nothing_proves_is_not_called_exact(known: Known) -> None:
    assert worths(known) == {"token": "redacted", "amount": "uncertain"}


def test_of_exact_arguments_each_is_exact_whatever_it_looks_like() -> None:
    known = Known(["wait..."], {"a": "[redacted]"}, Source.WORKER)
    assert worths(known) == {"args[0]": "exact", "a": "exact"}
    assert lead_and_causes(known) == ("", "")


@pytest.mark.parametrize(
    ("args", "kwargs", "lead", "causes"),
    [
        (
            [],
            {"order_id": 1, "amount": "1", "currency": "EUR", "card_token": "[redacted]", "lines": "[{..."},
            "2 of 5 arguments are not known.",
            "card_token was redacted before it was stored, lines was cut by the worker.",
        ),
        (["[redacted]"], {}, "Its only argument is not known.", "args[0] was redacted before it was stored."),
        (
            [1],
            {"card": {"number": "[redacted]", "cvc": "[redacted]"}},
            "1 of 2 arguments is not known.",
            "card.number, card.cvc were redacted before they were stored.",
        ),
        ([OURS, 2], {}, "1 of 2 arguments is not known.", "args[0] was cut before it was stored."),
        (
            [],
            {"a": "x...", "b": 1, "": "..."},
            "1 of at least 2 arguments is not known.",
            "a was cut by the worker, more were cut by the worker.",
        ),
        ([], {"a": 1, "": "..."}, "Not all arguments are known.", "Some were cut by the worker."),
        ([1], {}, "", ""),
    ],
)
def test_what_is_not_known_is_counted_and_named(
    args: list[Any], kwargs: dict[str, Any], lead: str, causes: str
) -> None:
    assert lead_and_causes(Known(args, kwargs)) == (lead, causes)


def test_nothing_is_counted_where_a_part_cannot_be_read() -> None:
    assert lead_and_causes(Known([], {"a": "[redacted]"}, unread=frozenset({"args"}))) == ("", "")


def test_the_page_gets_the_text_that_stands_in_the_box() -> None:
    values = {"big": 12345678901234567890, "float": 1.0, "text": 'é "<b>', "nested": {"z": 1, "a": [2]}}
    found = arguments_of(Known([], values))["kwargs"]
    box = json.dumps(values, ensure_ascii=False)
    assert ", ".join(f"{json.dumps(each.name)}: {each.text}" for each in found) == box[1:-1]
    assert json.loads(as_rows(found) or "")[0] == {
        "name": "big",
        "text": "12345678901234567890",
        "worth": Worth.UNCERTAIN,
    }


def test_of_too_many_or_too_long_arguments_the_page_shows_the_json_alone() -> None:
    def rows(args: list[Any]) -> str | None:
        return as_rows(arguments_of(Known(args))["args"])

    assert rows([1] * MOST) is not None
    assert rows([1] * (MOST + 1)) is None
    assert rows(["x" * (MOST_CHARACTERS - 2)]) is not None
    assert rows(["x" * (MOST_CHARACTERS - 1)]) is None
