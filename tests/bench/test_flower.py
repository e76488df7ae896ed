"""The search for the highest rate at which Flower loses nothing."""

from collections.abc import Callable

import pytest

from bench.ingest.flower import PRECISION, Heard, highest_lossless


def losing_above(limit: float, tried: list[float]) -> Callable[[float], Heard]:
    def trial(rate: float) -> Heard:
        tried.append(rate)
        return Heard(rate, 1_000, 1_000 if rate <= limit else 900, memory=0, cpu=0.0)

    return trial


@pytest.mark.parametrize("limit", [1_300, 5_000, 9_000, 37_000])
def test_highest_rate_without_loss_is_found_within_its_precision(limit: float) -> None:
    tried: list[float] = []
    best, trials = highest_lossless(5_000, 80_000, losing_above(limit, tried), tries=12)
    assert best <= limit < best * PRECISION**2
    assert len(trials) == len(tried) <= 12


def test_search_ends_at_the_highest_rate_that_can_be_offered() -> None:
    tried: list[float] = []
    assert highest_lossless(5_000, 20_000, losing_above(10**9, tried), tries=12)[0] == 20_000
    assert tried == [5_000, 10_000, 20_000]


def test_search_is_bounded_and_says_so_where_everything_loses() -> None:
    best, trials = highest_lossless(5_000, 80_000, losing_above(0, []), tries=4)
    assert best == 0
    assert len(trials) == 4
