"""What failing calls have that succeeding ones do not, and what is mere chance."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from monitoring.literals.comparison import LEAST_CALLS, MOST, NOT_GIVEN, Call, StandsOut, compare


def calls(number: int, **fixed: object) -> list[Call]:
    """Calls with an id that is never the same, and keywords."""
    return [(f"({n},)", repr({"retry": n % 2 == 0, **fixed})) for n in range(number)]


def test_a_value_that_only_failing_calls_have_stands_out() -> None:
    found = compare(calls(40, country="AT"), calls(60, country="DE"))
    assert found.values == (StandsOut("country", "'AT'", 40, 0),)
    assert (found.failing, found.others) == (40, 60)


def test_values_within_values_and_among_args_have_places() -> None:
    failing: list[Call] = [("('x', [1, {'sku': 'A'}])", "{'order': {'lines': [{'sku': 'B'}]}}")] * 9
    others: list[Call] = [("('x', [1, {'sku': 'C'}])", "{'order': {'lines': [{'sku': 'D'}]}}")] * 9
    assert {(each.place, each.value) for each in compare(failing, others).values} == {
        ("args[1][1].sku", "'A'"),
        ("order.lines[0]", "{'sku': 'B'}"),
    }


def test_a_keyword_that_is_missing_stands_out() -> None:
    found = compare(calls(20), calls(20, currency="EUR"))
    assert found.values == (StandsOut("currency", NOT_GIVEN, 20, 0),)


def test_what_is_redacted_or_cut_says_nothing() -> None:
    hidden: list[Call] = [("()", "{'token': [redacted]}")] * 20
    assert compare(hidden, hidden).values == ()
    cut: list[Call] = [("(1, ...)", "{}")] * 20
    assert compare(cut, calls(20)).failing == 0
    assert compare([(None, "{}"), ("()", None), ("((", "{}")] * 9, calls(20)).failing == 0


def test_too_few_calls_say_nothing() -> None:
    found = compare(calls(LEAST_CALLS - 1, a=1), calls(50, a=2))
    assert not found.is_enough
    assert found.values == ()


def test_chance_does_not_stand_out() -> None:
    chance = random.Random(3)
    for _ in range(40):
        drawn = [("()", repr({f"k{n}": chance.randrange(3) for n in range(8)})) for _ in range(200)]
        assert compare(drawn[:100], drawn[100:]).values == ()


_texts = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["()", "(1, 'x')", "{}", "{'a': 1}", "{1: {}}"])
)


@given(*[st.lists(st.tuples(_texts, _texts), max_size=12)] * 2)
def test_any_calls_can_be_compared(failing: list[Call], others: list[Call]) -> None:
    found = compare(failing, others)
    assert len(found.values) <= MOST
    for each in found.values:
        assert each.failing / found.failing > each.others / found.others
