"""Percentiles of histograms are those of the raw values, to within the bound that is stated."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.log_histogram import (
    BOUNDS,
    ERROR,
    LONGEST,
    MIDDLES,
    SHORTEST,
    add_packed,
    bucket_of,
    count_all,
    pack,
    percentiles,
)

SHARES = (0.01, 0.5, 0.95, 0.99, 1.0)
_random = np.random.default_rng(20261122)
RUN_TIMES = {
    "log-normal": _random.lognormal(mean=-1.0, sigma=1.5, size=20_000),
    "bimodal": np.concatenate([_random.normal(0.05, 0.005, 12_000), _random.normal(40.0, 4.0, 8_000)]),
    "constant": np.full(5_000, 0.24),
    "few": np.array([0.5, 3.0, 3.0, 700.0]),
    "one": np.array([2.5]),
}
durations = st.floats(SHORTEST, LONGEST)
histograms = st.dictionaries(st.integers(0, len(BOUNDS)), st.integers(1, 10**6))


@pytest.mark.parametrize("shape", RUN_TIMES)
def test_percentiles_are_those_of_the_raw_values_within_the_bound(shape):
    values = RUN_TIMES[shape]
    assert np.all(values > SHORTEST)
    exact = np.quantile(values, SHARES, method="inverted_cdf")
    assert percentiles(count_all(values), SHARES) == pytest.approx(list(exact), rel=ERROR)


@given(values=st.lists(durations, min_size=1), share=st.floats(0.001, 1))
def test_any_percentile_of_any_values_is_within_the_bound(values, share):
    # Not by numpy, which rounds the rank otherwise: the least value that so many do not exceed.
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert percentiles(count_all(values), [share]) == [pytest.approx(exact, rel=ERROR * (1 + 1e-9))]


@given(value=durations)
def test_a_bucket_holds_what_lies_between_its_bounds(value):
    bucket = bucket_of(value)
    assert BOUNDS[bucket - 1] <= value < BOUNDS[bucket]
    assert abs(MIDDLES[bucket] - value) <= ERROR * value * (1 + 1e-9)


def test_what_is_too_short_or_too_long_has_a_bucket_of_its_own():
    assert bucket_of(0.0) == bucket_of(-1.0) == bucket_of(SHORTEST / 2) == 0
    assert bucket_of(1e300) == bucket_of(math.inf) == len(BOUNDS) == len(MIDDLES) - 1
    assert percentiles({0: 1}, [0.5]) == [pytest.approx(0, abs=SHORTEST)]
    assert LONGEST < MIDDLES[-1] < 1.2 * LONGEST


def test_nothing_counted_has_no_percentile():
    assert percentiles({}, SHARES) == [None] * len(SHARES)


@given(one=histograms, other=histograms)
def test_packed_histograms_add_up_bucket_by_bucket(one, other):
    total: dict[int, int] = {}
    add_packed(total, pack(one))
    add_packed(total, pack(other))
    assert total == {
        bucket: one.get(bucket, 0) + other.get(bucket, 0) for bucket in one.keys() | other.keys()
    }


@given(values=st.lists(durations), cut=st.integers(0, 50))
def test_the_histogram_of_all_is_the_sum_of_its_parts(values, cut):
    total: dict[int, int] = {}
    for part in (values[:cut], values[cut:]):
        add_packed(total, pack(count_all(part)))
    assert total == count_all(values)


def test_an_absurd_count_is_cut_rather_than_refused():
    total: dict[int, int] = {}
    add_packed(total, pack({7: 10**12}))
    assert total == {7: 2**32 - 1}
