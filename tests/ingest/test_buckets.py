"""Histograms in the buckets that existing dashboards expect."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.buckets import (
    RUNTIME_BOUNDS,
    WAIT_BOUNDS,
    add_counts,
    bucket_counts,
    bucket_index,
    cumulative,
)

bounds = st.sampled_from([RUNTIME_BOUNDS, WAIT_BOUNDS])
seconds = st.lists(st.floats(allow_nan=False))


@given(st.floats(allow_nan=False), bounds)
def test_a_value_belongs_to_the_first_bound_that_it_does_not_exceed(value, bounds):
    index = bucket_index(value, bounds)
    assert all(value > bound for bound in bounds[:index])
    assert all(value <= bound for bound in bounds[index:])


@pytest.mark.parametrize(
    ("value", "index"), [(0, 0), (0.005, 0), (0.0051, 1), (10, 13), (10.1, 14), (math.inf, 14)]
)
def test_bounds_include_themselves(value, index):
    assert bucket_index(value, RUNTIME_BOUNDS) == index


def test_what_is_not_a_number_is_above_every_bound():
    assert bucket_index(math.nan, WAIT_BOUNDS) == len(WAIT_BOUNDS)


@given(seconds, seconds, bounds)
def test_histograms_of_two_sets_add_up_to_that_of_both(some, others, bounds):
    assert add_counts(bucket_counts(some, bounds), bucket_counts(others, bounds)) == bucket_counts(
        some + others, bounds
    )


@given(seconds, bounds)
def test_the_last_cumulative_count_is_of_all_values(values, bounds):
    counts = cumulative(bucket_counts(values, bounds))
    assert counts == sorted(counts)
    assert counts[-1] == len(values)
    assert counts[: len(bounds)] == [sum(value <= bound for value in values) for bound in bounds]


def test_a_histogram_that_there_never_was_adds_nothing():
    assert add_counts(None, None) is None
    assert add_counts(None, [1, 2]) == add_counts([1, 2], None) == [1, 2]
    assert add_counts([1, 2], [1, 2, 3]) == [2, 4, 3]
