"""Of a long traceback the middle is cut out: where it began and what was raised in the end are both kept."""

from __future__ import annotations

import json
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.redaction import Redactor
from monitoring.ingest.text import CUT_MARK, MIDDLE_MARK, ends_of_traceback
from monitoring.tracebacks.parsing import parse
from tests.ingest.event_streams import BEGIN, event

LIMIT = 4_000
HEAD = "Traceback (most recent call last):\n"
FRAMES = "".join(
    f'  File "/srv/shop/deep.py", line {n}, in level_{n}\n    return level({n} + 1)\n' for n in range(500)
)
LINES = FRAMES.splitlines(keepends=True)
LONG = f"{HEAD}{FRAMES}shop.errors.TooDeep: the innermost reason\n"


def stored(text: str, kind: str = "failed") -> str:
    body = json.dumps(event(kind, BEGIN, exception="TooDeep()", traceback=text))
    [found] = Decoder(Redactor(), LIMIT).decode(body, "application/json").tasks
    kept = found.values["traceback"]
    assert isinstance(kept, str)
    assert json.loads(found.payload)["traceback"] == kept, "the log and the task have the same"
    return kept


@pytest.mark.parametrize("kind", ["failed", "retried"])
def test_both_ends_are_kept_and_the_mark_says_how_much_is_missing(kind: str) -> None:
    kept = stored(LONG, kind)
    mark = MIDDLE_MARK.search(kept)
    assert mark
    assert len(kept) <= LIMIT + len(mark.group()) + 1
    assert kept.startswith(HEAD)
    assert kept.endswith(
        "in level_499\n    return level(499 + 1)\nshop.errors.TooDeep: the innermost reason\n"
    )
    missing = int(mark["number"].replace(",", ""))
    assert len(kept) - len(mark.group()) - 1 + missing == len(LONG)
    assert kept[mark.end() + 1 :].startswith('  File "')
    assert len(kept) - mark.end() > 2 * mark.start(), "most of what is kept is the end"


def test_the_same_traceback_is_always_cut_in_the_same_way() -> None:
    body = json.dumps(event("failed", BEGIN, exception="TooDeep()", traceback=LONG))
    one, other = (Decoder(Redactor(), LIMIT).decode(body, "application/json").tasks[0] for _ in range(2))
    assert (one.tie, one.payload) == (other.tie, other.payload)


def test_the_parser_reads_on_behind_the_mark() -> None:
    [raised] = parse(stored(LONG)).exceptions
    assert (raised.type, raised.message) == ("shop.errors.TooDeep", "the innermost reason")
    assert raised.frames[0].function == "level_0"
    assert raised.frames[-1].function == "level_499"
    assert not [frame for frame in raised.frames if any("cut from" in line for line in frame.source)]


def test_a_mark_between_two_exceptions_begins_the_second_without_its_head() -> None:
    cause = f"{HEAD}{''.join(LINES[:10])}KeyError: " + "a line\n" * 2_000
    joined = "\nThe above exception was the direct cause of the following exception:\n\n"
    first, second = parse(
        stored(f"{cause}{joined}{HEAD}{''.join(LINES[-60:])}OSError: in the end\n")
    ).exceptions
    assert first.type == "KeyError"
    assert (second.type, second.message) == ("OSError", "in the end")
    assert second.frames[-1].function == "level_499"


def test_members_of_a_group_keep_their_margin() -> None:
    def dive(depth: int) -> None:
        if depth:
            dive_on(depth)
        raise ValueError("at the bottom")

    def dive_on(depth: int) -> None:
        dive(depth - 1)

    errors: list[Exception] = []
    try:
        dive(60)
    except ValueError as error:
        errors.append(error)
    try:
        raise ExceptionGroup("several", errors)
    except ExceptionGroup:
        text = traceback.format_exc()
    text = text.replace(
        "    | ValueError", '    |   File "/srv/a.py", line 1, in last\n' * 90 + "    | ValueError"
    )
    kept = stored(text)
    assert MIDDLE_MARK.search(kept)
    [group] = parse(kept).exceptions
    [[member]] = group.members
    assert (group.type, member.type, member.message) == ("ExceptionGroup", "ValueError", "at the bottom")


def test_a_secret_across_the_cut_is_redacted_at_both_ends() -> None:
    secret = "hunter2 and more words of it " * 60
    line = f"    call(password='{secret}')\n"
    frames = FRAMES[:900] + f'  File "/srv/a.py", line 1, in f\n{line}' + FRAMES[-3_500:]
    for length in range(0, 3_000, 97):
        kept = stored(f"{HEAD}{frames}ValueError: token='{secret}'\n" + "y" * length)
        assert "hunter2" not in kept
        assert "words of it" not in kept


@pytest.mark.parametrize("text", ["x" * 9_000, f"{HEAD}{FRAMES[:500]}ValueError: {'message ' * 2_000}"])
def test_what_has_no_frame_near_its_end_keeps_its_beginning(text: str) -> None:
    assert ends_of_traceback(text, LIMIT) is None
    assert CUT_MARK.search(stored(text))


def test_what_is_short_enough_is_kept_whole() -> None:
    assert stored(LONG[: LIMIT - 100]) == LONG[: LIMIT - 100]


@given(st.text(alphabet='F il"e\n|+x\0\ud800', max_size=300), st.integers(0, 200))
def test_any_text_is_cut_within_its_limit_or_not_at_all(text: str, limit: int) -> None:
    ends = ends_of_traceback(text, limit)
    if ends is not None:
        beginning, mark, end = ends
        assert len(beginning) + len(end) <= limit
        assert MIDDLE_MARK.match(mark.rstrip("\n"))
        assert "\0" not in "".join(ends)
