"""The shape of a sparkline."""

from __future__ import annotations

from monitoring.sparkline import sparkline


def test_it_is_scaled_to_its_own_maximum() -> None:
    line, area = sparkline([0, 5, 10])
    assert line == "M0.0 24.0L50.0 13.0L100.0 2.0"
    assert area == "M0.0 24L0.0 24.0L50.0 13.0L100.0 2.0L100.0 24Z"


def test_what_is_not_known_is_a_hole() -> None:
    line, _ = sparkline([None, 1, None, 1, 1])
    assert line.count("M") == 2


def test_nothing_known_draws_nothing_and_zeros_lie_on_the_ground() -> None:
    assert sparkline([None, None]) == ("", "")
    assert sparkline([]) == ("", "")
    assert sparkline([0, 0])[0] == "M0.0 24.0L100.0 24.0"
