"""How figures and values are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import formatting


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.000412, "0.412 ms"),
        (0.0224, "22.4 ms"),
        (0.085, "85 ms"),
        (0.201, "201 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.2, "1.20 s"),
        (1.2449, "1.24 s"),
        (9.996, "10.0 s"),
        (12, "12.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 00 s"),
        (231, "3 min 51 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (86399, "1 d 0 h"),
        (6 * 86400 + 4 * 3600, "6 d 4 h"),
        (41 * 86400, "41 d"),
        (-0.5, "-500 ms"),
    ],
)
def test_duration_has_three_figures_and_a_unit(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0, "0 %"),
        (1e-6, "<0.1 %"),
        (0.003, "0.3 %"),
        (0.05, "5.0 %"),
        (0.126, "12.6 %"),
        (0.94, "94.0 %"),
        (0.9912, "99.1 %"),
        (0.99999, ">99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(part: float, text: str) -> None:
    assert formatting.share(part) == text.replace(" ", "\u00a0")


@given(st.floats(min_value=0, max_value=1e10))
def test_duration_never_breaks_between_number_and_unit(seconds: float) -> None:
    text = formatting.duration(seconds)
    assert " " not in text
    assert "e" not in text


@given(st.floats(min_value=0.001, max_value=59.9))
def test_duration_is_within_half_a_percent_of_the_truth(seconds: float) -> None:
    figure, unit = formatting.duration(seconds).split("\u00a0")
    shown = float(figure) * (0.001 if unit == "ms" else 1)
    assert shown == pytest.approx(seconds, rel=0.0051)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (185, "3 min"), (7300, "2 h"), (950400, "11 d")]
)
def test_span_has_one_unit(seconds: float, text: str) -> None:
    assert formatting.span(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.1, "100 ms"), (1, "1 s"), (2.5, "2.5 s"), (60, "1 min"), (90, "1 min 30 s"), (3300, "55 min"), (3600, "1 h"),
        (5400, "1 h 30 min"), (86400, "1 d"), (129600, "1 d 12 h"), (86400.0 * 2000 + 1, "2,000 d 1 s"),
    ],
)  # fmt: skip
def test_an_exact_duration_leaves_nothing_out(seconds: float, text: str) -> None:
    assert formatting.exact_duration(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (64_000, "64 kB"), (3_400_000, "3.4 MB")],
)
def test_size(octets: int, text: str) -> None:
    assert formatting.size(octets) == text.replace(" ", "\u00a0")


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_cut_text_is_never_cut_silently(text: str, length: int) -> None:
    shown = formatting.cut(text, length)
    assert len(shown) <= length
    assert shown == text or shown.endswith("…")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("payments.tasks.capture", ("payments.tasks.", "capture")),
        ("add", ("", "add")),
        ("odd.", ("", "odd.")),
        ("", ("", "")),
    ],
)
def test_name_is_split_into_module_and_function(name: str, parts: tuple[str, str]) -> None:
    assert formatting.split_name(name) == parts


def test_literals_are_printed_over_several_lines_and_other_text_is_kept() -> None:
    long = repr({"customer": {"id": 90211, "country": "DE"}, "lines": list(range(40))})
    assert formatting.pretty(long).count("\n") > 3
    assert formatting.pretty('{"json": true}') == "{'json': True}"
    assert formatting.pretty("<Order 5>") == "<Order 5>"
    assert formatting.pretty("('cut by Celery...") == "('cut by Celery..."


@given(st.text())
def test_any_text_can_be_printed(text: str) -> None:
    formatting.pretty(text)
    formatting.call_line(text, text)


def test_deep_nesting_does_not_stop_the_page() -> None:
    deep = "[" * 5000 + "]" * 5000
    assert formatting.pretty(deep) == deep


def test_arguments_are_written_as_a_call() -> None:
    assert formatting.call_line("(48213, 'x')", "{'amount': '129.90'}") == "48213, 'x', amount='129.90'"
    assert formatting.call_line("()", "{}") == ""
    assert formatting.call_line(None, None) == ""
    assert formatting.call_line("(<Order 5>,)", "{}") == "(<Order 5>,)"
    assert formatting.call_line("(7, datetime.date(2026, 11, 22))", "{'at': f(1)}") == (
        "(7, datetime.date(2026, 11, 22)), {'at': f(1)}"
    )
    assert formatting.call_line("('cut by Celery...", '{"json": true}') == "('cut by Celery..., json=True"
    assert formatting.call_line("('f(x)', set(), (5))", "{}") == "'f(x)', set(), 5"
    assert formatting.call_line("(5)", "{'a': 1, 'a': 2}") == "(5), a=2"
    assert formatting.call_line("(0.05,)", "{'rate': 0.05, 'rates': [0.0, 0.0625]}") == (
        "0.05, rate=0.05, rates=[0.0, 0.0625]"
    )


_plain = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_values = _plain | st.lists(_plain) | st.lists(_plain).map(tuple) | st.dictionaries(st.text(), _plain)


@given(st.lists(_values).map(tuple) | st.lists(_values), st.dictionaries(st.text(), _values))
def test_every_argument_is_written_as_its_repr(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    parts = [repr(value) for value in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
    assert formatting.call_line(repr(args), repr(kwargs)) == ", ".join(parts)


@pytest.mark.parametrize(
    ("told", "name"),
    [("15", "SIGTERM"), ("9", "SIGKILL"), ("SIGUSR1", "SIGUSR1"), ("999", "999"), ("", ""), (None, "")],
)
def test_a_signal_is_shown_by_its_name(told: str | None, name: str) -> None:
    assert formatting.signal_name(told) == name
