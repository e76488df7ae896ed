"""Tracebacks as CPython itself writes them, and what only looks like one."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tracebacks.chain import MAX_FRAMES
from monitoring.tracebacks.contents import Raised, Relation
from monitoring.tracebacks.parsing import parse
from tests.growth import assert_time_grows_with_length


def text_of(raises: Callable[[], object]) -> str:
    """The traceback of what `raises` raises, as Celery sends it."""
    try:
        raises()
    except BaseException:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def plain() -> None:
    raise ValueError("first line\nsecond: line\n\nTraceback of nothing")


def caused() -> None:
    try:
        plain()
    except ValueError as error:
        raise KeyError("key") from error


def while_handling() -> None:
    try:
        caused()
    except KeyError:
        raise RuntimeError from OSError("never raised")


def in_context() -> None:
    try:
        caused()
    except KeyError:
        int("x")


def test_frames_are_read_with_their_lines() -> None:
    (raised,) = parse(text_of(plain)).exceptions
    assert (raised.type, raised.message) == ("ValueError", "first line\nsecond: line\n\nTraceback of nothing")
    assert [frame.function for frame in raised.frames] == ["text_of", "plain"]
    assert raised.frames[1].path == __file__
    assert raised.frames[1].line == plain.__code__.co_firstlineno + 1
    assert raised.frames[1].source[0].startswith("raise ValueError(")


def test_a_direct_cause_and_a_context_are_told_apart() -> None:
    exceptions = parse(text_of(in_context)).exceptions
    assert [(raised.type, raised.relation) for raised in exceptions] == [
        ("ValueError", Relation.NOTHING),
        ("KeyError", Relation.CAUSE),
        ("ValueError", Relation.CONTEXT),
    ]


def test_a_cause_that_was_never_raised_has_no_frames() -> None:
    exceptions = parse(text_of(while_handling)).exceptions
    assert [(raised.type, bool(raised.frames)) for raised in exceptions] == [
        ("OSError", False),
        ("RuntimeError", True),
    ]
    assert exceptions[0].message == "never raised"
    assert exceptions[1].relation is Relation.CAUSE


def nested(groups: int, members: int = 1) -> ExceptionGroup[Exception]:
    inner: list[Exception] = [TypeError(str(number)) for number in range(members)]
    for level in range(groups):
        inner = [ExceptionGroup(f"level {level}", [ValueError("beside"), *inner])]
    group = inner[0]
    assert isinstance(group, ExceptionGroup)
    return group


def raise_group() -> None:
    raise nested(2)


def test_exception_groups_hold_their_members() -> None:
    (raised,) = parse(text_of(raise_group)).exceptions
    assert (raised.type, raised.message) == ("ExceptionGroup", "level 1 (2 sub-exceptions)")
    assert [frame.function for frame in raised.frames] == ["text_of", "raise_group"]
    (beside,), (inner,) = raised.members
    assert beside.type == "ValueError"
    assert (inner.type, inner.message) == ("ExceptionGroup", "level 0 (2 sub-exceptions)")
    assert [[each.type for each in member] for member in inner.members] == [["ValueError"], ["TypeError"]]


def test_members_that_python_left_out_are_counted() -> None:
    def raise_many() -> None:
        raise nested(1, members=40)

    (raised,) = parse(text_of(raise_many)).exceptions
    assert len(raised.members) == 15
    assert raised.more_members == 26


def test_an_exception_after_a_group_is_joined_to_it() -> None:
    def raise_after_group() -> None:
        try:
            raise_group()
        except ExceptionGroup as group:
            raise LookupError("after") from group

    exceptions = parse(text_of(raise_after_group)).exceptions
    assert [(raised.type, raised.relation) for raised in exceptions] == [
        ("ExceptionGroup", Relation.NOTHING),
        ("LookupError", Relation.CAUSE),
    ]
    assert exceptions[1].members == []


def test_members_have_tracebacks_and_chains_of_their_own() -> None:
    def raise_chains() -> None:
        errors = []
        try:
            in_context()
        except ValueError as error:
            errors.append(error)
        raise ExceptionGroup("of one", errors)

    (group,) = parse(text_of(raise_chains)).exceptions
    assert [raised.type for raised in group.members[0]] == ["ValueError", "KeyError", "ValueError"]
    assert group.members[0][-1].frames[-1].function == "in_context"


def test_the_place_of_a_syntax_error_is_a_frame_without_function() -> None:
    (raised,) = parse(text_of(lambda: compile("a = 1\nb c\n", "shop/tasks.py", "exec"))).exceptions
    place = raised.frames[-1]
    assert (place.path, place.line, place.function) == ("shop/tasks.py", 2, "")
    assert place.source == ["b c"]
    assert raised.type == "SyntaxError"


def test_repeated_lines_count_as_frames() -> None:
    def recurse(depth: int) -> None:
        if depth:
            recurse(depth - 1)
        raise RecursionError

    (raised,) = parse(text_of(lambda: recurse(100))).exceptions
    assert len(raised.frames) < 10
    assert raised.depth == 103


def test_notes_are_part_of_the_message() -> None:
    def raise_with_note() -> None:
        error = ValueError("bad")
        error.add_note("while importing row 7")
        raise error

    (raised,) = parse(text_of(raise_with_note)).exceptions
    assert raised.message == "bad\nwhile importing row 7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "ValueError: no traceback",
        "java.lang.NullPointerException\n\tat com.example.Main.main(Main.java:5)",
        'Traceback (most recent call last):\n  Fil "x", line',
        "  | \n  +-+---------------- 1 ----------------\n    | x",
        "[redacted: not readable]",
    ],
)
def test_what_is_no_traceback_stays_text(text: str) -> None:
    found = parse(text)
    assert found.exceptions == []
    assert found.text == text


def test_text_before_a_traceback_is_kept() -> None:
    found = parse("Task handler said:\n" + text_of(plain))
    assert found.text == "Task handler said:"
    assert found.exceptions[0].type == "ValueError"


def test_a_traceback_that_was_cut_has_the_frames_up_to_there() -> None:
    whole = text_of(in_context)
    cut = whole[: whole.rindex("ValueError")] + "… [cut: 70,000 characters]"
    last = parse(cut).exceptions[-1]
    assert last.frames
    assert (last.type, last.message) == ("", "… [cut: 70,000 characters]")
    assert parse(whole[: whole.rindex("  File")]).exceptions[-1].type == ""


def test_of_five_thousand_frames_the_innermost_are_kept_and_all_are_counted() -> None:
    frames = "".join(f'  File "/srv/a.py", line {line}, in f\n    f()\n' for line in range(1, 5001))
    (raised,) = parse(f"Traceback (most recent call last):\n{frames}E: x\n").exceptions
    assert len(raised.frames) == MAX_FRAMES
    assert raised.depth == 5000
    assert raised.frames[-1].line == 5000
    assert raised.frames[0].line == 1


LINES = st.sampled_from(
    [
        "Traceback (most recent call last):",
        "  + Exception Group Traceback (most recent call last):",
        "  | Exception Group Traceback (most recent call last):",
        '  File "/srv/shop/tasks.py", line 7, in pay',
        '  |   File "/srv/shop/tasks.py", line 7, in pay',
        '    |   File "/srv/shop/tasks.py", line 7',
        "    source()",
        "    ~~~~~~^^",
        "ValueError: x",
        "  | ValueError: x",
        "    | ValueError: x",
        "  +-+---------------- 1 ----------------",
        "    +---------------- 2 ----------------",
        "    +---------------- ... ----------------",
        "    | and 5 more exceptions",
        "      +-+---------------- 1 ----------------",
        "    +------------------------------------",
        "      +------------------------------------",
        "The above exception was the direct cause of the following exception:",
        "  | During handling of the above exception, another exception occurred:",
        "During handling of the above exception, another exception occurred:",
        "  [Previous line repeated 3 more times]",
        "",
        "  | ",
    ]
)


def every(exceptions: list[Raised]) -> list[Raised]:
    return [
        each for raised in exceptions for each in [raised, *every([m for ms in raised.members for m in ms])]
    ]


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=60))
def test_no_text_is_too_strange(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = parse(text)
    assert found.exceptions or found.text == text
    frames = sum(len(raised.frames) for raised in every(found.exceptions))
    assert frames == sum("File " in line for line in lines) or frames <= text.count("File ")
    assert all(member for raised in every(found.exceptions) for member in raised.members)


@given(st.text())
def test_any_text_is_read_without_error(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    "unit",
    [
        '  File "x", line 1, in f\n',
        '  File "' + '", line 1' * 3,
        "  " * 5 + "|",
        "a.b" * 5,
        "  + Exception Group Traceback (most recent call last):\n  +-+---------------- 1 ----------------\n",
        "    +---------------- 2 ----------------\n    | x\n",
        "\nDuring handling of the above exception, another exception occurred:\n\n",
    ],
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    short, long = ("Traceback (most recent call last):\n" + unit * times for times in (1_000, 8_000))
    # Eight times the text: a quadratic reader would take sixty-four times as long.
    assert_time_grows_with_length(parse, short, long, most=32, least=0.001)
