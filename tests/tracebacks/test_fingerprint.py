"""What fails for the same reason has the same fingerprint, whatever differs from run to run and release to release."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tracebacks.fingerprint import (
    LENGTH,
    OWN_FRAMES,
    Place,
    Places,
    fingerprint_of,
    place_of,
    without_noise,
)
from tests.tracebacks.test_parsing import caused, in_context, plain, text_of, while_handling

Frames = Sequence[tuple[str, int, str]]

LIBRARY = "/venv/lib/python3.12/site-packages/celery/app/trace.py"
#: Frames of a project's own code: file, line, function.
OWN: Frames = (
    ("/srv/shop/shop/tasks.py", 12, "capture_payment"),
    ("/srv/shop/payments/gateway.py", 118, "capture"),
    ("/srv/shop/payments/http.py", 33, "post"),
)


def traceback_of(frames: Frames, message: str = "GatewayTimeout: no answer in 3.0 s") -> str:
    """As Python writes it, outermost frame first."""
    lines = ["Traceback (most recent call last):"]
    for path, line, function in frames:
        lines += [f'  File "{path}", line {line}, in {function}', f"    {function}()"]
    return "\n".join([*lines, message, ""])


def digest(traceback: str | None, kind: str | None = "GatewayTimeout", own_code: Sequence[str] = ()) -> str:
    return Places(own_code).digest(kind, traceback)


def test_line_numbers_messages_and_releases_do_not_matter() -> None:
    moved = [
        (path.replace("/srv/shop", "/srv/releases/20261129/x"), line + 7, name) for path, line, name in OWN
    ]
    assert digest(traceback_of(OWN)) == digest(traceback_of(moved, "GatewayTimeout: order 48213\nof\n  File"))


def test_library_frames_do_not_matter_where_there_are_own_ones() -> None:
    inside = [(LIBRARY, 450, "trace_task"), *OWN, ("/usr/lib/python3.12/socket.py", 708, "readinto")]
    assert digest(traceback_of(OWN)) == digest(traceback_of(inside))


@pytest.mark.parametrize(
    "changed",
    [
        [*OWN[:2], ("/srv/shop/payments/http.py", 33, "get")],
        [*OWN[:2], ("/srv/shop/payments/soap.py", 33, "post")],
        [*OWN, ("/srv/shop/payments/retry.py", 5, "again")],
    ],
)
def test_another_place_is_another_failure(changed: Frames) -> None:
    assert digest(traceback_of(OWN)) != digest(traceback_of(changed))


def test_another_exception_or_task_is_another_failure() -> None:
    place = digest(traceback_of(OWN))
    assert place != digest(traceback_of(OWN), "ConnectionError")
    assert len({fingerprint_of(name, place) for name in ("shop.pay", "shop.refund", None)}) == 3


def test_only_the_deepest_own_frames_count() -> None:
    deep = [("/srv/shop/shop/views.py", n, f"step_{'abcdef'[n]}") for n in range(6)]
    assert len(OWN) == OWN_FRAMES
    assert digest(traceback_of([*deep, *OWN])) == digest(traceback_of(OWN))


def test_a_function_that_calls_itself_counts_once() -> None:
    again = [*OWN[:2], *[OWN[2]] * 40]
    assert digest(traceback_of(again)) == digest(traceback_of(OWN))
    text = traceback_of(OWN).replace("    post()\n", "    post()\n  [Previous line repeated 37 more times]\n")
    assert digest(text) == digest(traceback_of(OWN))


def test_without_own_frames_the_deepest_frame_decides() -> None:
    killed = [
        (LIBRARY, 450, "trace_task"),
        ("/venv/lib/python3.12/site-packages/billiard/pool.py", 1265, "mark"),
    ]
    elsewhere = [*killed[:1], ("/venv/lib/python3.12/site-packages/billiard/pool.py", 1270, "join")]
    assert digest(traceback_of(killed)) == digest(
        traceback_of([("/other/site-packages/billiard/pool.py", 1, "mark")])
    )
    assert digest(traceback_of(killed)) != digest(traceback_of(elsewhere))
    assert place_of(traceback_of(killed)) == Place("billiard/pool.py", 1265, "mark", own=False)


def test_the_cause_decides_where_the_last_exception_has_no_own_frame() -> None:
    joined = "\nThe above exception was the direct cause of the following exception:\n\n"
    outer = traceback_of([(LIBRARY, 1, "trace_task")])
    one, other = (traceback_of(frames, "KeyError: 1") + joined + outer for frames in (OWN, OWN[:2]))
    assert digest(one) != digest(other)
    assert digest(one) == digest(one.replace("KeyError: 1", "KeyError: 2"))
    assert place_of(one) == Place("payments/http.py", 33, "post", own=True)


def test_own_code_is_what_the_settings_say() -> None:
    frames = [
        ("/venv/lib/python3.12/site-packages/ours/jobs.py", 3, "work"),
        ("/srv/other/x.py", 4, "deeper"),
    ]
    assert place_of(traceback_of(frames), ("*/ours/*",)) == Place("ours/jobs.py", 3, "work", own=True)
    assert digest(traceback_of(frames), own_code=("*/ours/*",)) == digest(
        traceback_of(frames[:1]), own_code=("*/ours/*",)
    )


def test_a_text_without_frames_is_told_by_its_exception_alone() -> None:
    assert digest(None) == digest("") == digest("Timed out after 3 s") != digest(None, "OSError")
    assert place_of(None) is None
    assert place_of("no traceback") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run_9f31c2d4-7ab0-4c55-9c1e-0123456789ab.py", "run_*.py"),
        ("<ipython-input-3-9f31c2d47ab0>", "<ipython-input-3-*>"),
        ("build_20261129120000/tasks.py", "build_*/tasks.py"),
        ("lambda at 0x7f31c2d4", "lambda at *"),
        ("feedback/decade.py v2 step_12", "feedback/decade.py v2 step_12"),
    ],
)
def test_noise_is_what_differs_from_run_to_run(text: str, expected: str) -> None:
    assert without_noise(text) == expected


@pytest.mark.parametrize("raises", [plain, caused, while_handling, in_context])
def test_what_python_writes_is_read_the_short_way_as_the_long_way(raises: object) -> None:
    assert_same_either_way(text_of(raises))  # type: ignore[arg-type]


def assert_same_either_way(text: str) -> None:
    """The mark makes the short way give up; it belongs to the message, so that it changes nothing."""
    assert digest(text) == digest(f"{text}\n… [cut from the middle: 3 characters]")


_words = st.sampled_from(["post", "capture", "a.b", "<lambda>", "9f31c2d47ab0", "é", "x" * 30])
_paths = st.one_of(
    st.sampled_from(
        [LIBRARY, "/usr/lib/python3.12/json/decoder.py", "<frozen importlib._bootstrap>", "C:\\shop\\x.py"]
    ),
    _words.map("/srv/shop/{}.py".format),
)
_frames = st.lists(st.tuples(_paths, st.integers(1, 9_999), _words), min_size=1, max_size=6)
_lines = st.sampled_from(
    [
        "",
        "  File",
        '  File "/srv/shop/fake.py", line 3, in fake',
        "    code",
        "KeyError: 'x'",
        "|",
        "é",
        "[cut",
        "Traceback",
    ]
)
_messages = st.lists(_lines, max_size=4).map(lambda lines: "\n".join(["ValueError: x", *lines]))
_joined = st.sampled_from(
    [
        "\nThe above exception was the direct cause of the following exception:\n\n",
        "\nDuring handling of the above exception, another exception occurred:\n\n",
    ]
)


@st.composite
def tracebacks(draw: st.DrawFn) -> str:
    """One to three exceptions, with messages that look like frames."""
    text = traceback_of(draw(_frames), draw(_messages))
    for _ in range(draw(st.integers(0, 2))):
        text += draw(_joined) + traceback_of(draw(_frames), draw(_messages))
    return text


@given(tracebacks())
def test_the_short_way_gives_what_the_long_way_gives(text: str) -> None:
    assert_same_either_way(text)


@given(tracebacks(), st.lists(tracebacks(), max_size=3))
def test_what_came_before_changes_nothing(text: str, earlier: list[str]) -> None:
    places = Places()
    for each in earlier:
        places.digest("ValueError", each)
    assert places.digest("ValueError", text) == digest(text, "ValueError")


def test_very_long_tracebacks_are_told_apart_too() -> None:
    places = Places()
    deep = [("/srv/shop/shop/views.py", n, "view") for n in range(300)]
    texts = [traceback_of([*deep, *OWN[:last]]) for last in (1, 2, 3, 1, 2, 3)]
    found = [places.digest("E", text) for text in texts]
    assert len(texts[0]) > 10_000
    assert found[:3] == found[3:]
    assert len(set(found)) == 3


@given(_frames, st.integers(0, 500), _messages, _messages)
def test_lines_and_messages_never_matter(frames: Frames, down: int, one: str, other: str) -> None:
    moved = [(path, line + down, function) for path, line, function in frames]
    assert digest(traceback_of(frames, one)) == digest(traceback_of(moved, other))


@given(
    st.one_of(st.none(), st.text(max_size=300)), st.one_of(st.none(), st.text(max_size=3_000), tracebacks())
)
def test_any_text_has_a_fingerprint(kind: str | None, text: str | None) -> None:
    assert re.fullmatch(f"[0-9a-f]{{{LENGTH}}}", digest(text, kind))
    assert re.fullmatch(f"[0-9a-f]{{{LENGTH}}}", fingerprint_of(kind, digest(text, kind)))
    place_of(text)
