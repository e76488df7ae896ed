"""Histograms of durations whose buckets grow by a constant factor: every percentile is known to within 5 %. Pure.

A bucket holds the values from its lower bound (included) to its upper one (excluded), and each bound is about 1.105
times the one before: whatever value of a bucket is asked for, the answer (:data:`MIDDLES`) is off by at most
:data:`ERROR` of it. Below :data:`SHORTEST` the error is at most that, and from :data:`LONGEST` on nothing is told
apart. A histogram is a mapping from bucket to count. Two of them add up bucket by bucket, without any further error, so
the percentiles of any range come from the sum of what it is made of.

The scheme is that of DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019).
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

#: Greatest relative error of a percentile.
ERROR = 0.05
#: Seconds: what is shorter than 0.1 ms, or longer than 115 days, shares one bucket.
SHORTEST, LONGEST = 1e-4, 1e7
_GROWTH = (1 + ERROR) / (1 - ERROR)
#: Upper bounds of all buckets but the last, in seconds.
BOUNDS = tuple(SHORTEST * _GROWTH**i for i in range(math.ceil(math.log(LONGEST / SHORTEST, _GROWTH)) + 1))
#: What stands for a value of each bucket: between two bounds the one whose relative distance to both is the same.
MIDDLES = (
    SHORTEST / 2,
    *(2 * low * high / (low + high) for low, high in pairwise(BOUNDS)),
    BOUNDS[-1],
)

_PAIR = struct.Struct("<HI")
_MOST = 2**32 - 1


def bucket_of(seconds: float) -> int:
    """The bucket that a duration belongs to, as PostgreSQL's ``width_bucket(seconds, BOUNDS)`` says."""
    return bisect_right(BOUNDS, seconds)


def count_all(values: Iterable[float]) -> dict[int, int]:
    """The histogram of durations in seconds."""
    counts: dict[int, int] = {}
    for value in values:
        bucket = bucket_of(value)
        counts[bucket] = counts.get(bucket, 0) + 1
    return counts


def pack(counts: Mapping[int, int]) -> bytes:
    """The histogram as bytes, in order of buckets: two for a bucket and four for its count; empty buckets take none."""
    return b"".join(
        _PAIR.pack(bucket, min(count, _MOST)) for bucket, count in sorted(counts.items()) if count
    )


def add_packed(counts: dict[int, int], packed: bytes | memoryview) -> None:
    """Add what :func:`pack` gave to `counts`."""
    if not counts:
        counts.update(_PAIR.iter_unpack(packed))
        return
    for bucket, count in _PAIR.iter_unpack(packed):
        counts[bucket] = counts.get(bucket, 0) + count


def percentiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[float | None]:
    """For each share (0.95) the least duration in seconds that so many of the values do not exceed.

    Off by at most :data:`ERROR` of it; None where nothing was counted. It is the "inverted_cdf" of numpy: a value that
    really occurred, never one between two.
    """
    total = sum(counts.values())
    if not total:
        return [None] * len(shares)
    buckets = sorted(counts)
    return [_value_at(counts, buckets, total, max(1, math.ceil(share * total))) for share in shares]


def _value_at(counts: Mapping[int, int], buckets: Sequence[int], total: int, rank: int) -> float:
    """The value with this rank (1: the least) of `total`, looked for from the nearer end of the sorted `buckets`."""
    if 2 * rank <= total:
        seen = 0
        for bucket in buckets:
            seen += counts[bucket]
            if seen >= rank:
                break
    else:
        seen = total
        for bucket in reversed(buckets):
            seen -= counts[bucket]
            if seen < rank:
                break
    return MIDDLES[bucket]
