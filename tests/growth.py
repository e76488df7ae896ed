"""Whether what reads a text takes time in proportion to its length."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

#: Times that a busy machine may disturb the measurement, after those that are always taken.
_LEAST, _MOST = 3, 30


def assert_time_grows_with_length(
    read: Callable[[str], object], short: str, long: str, *, most: float, least: float
) -> None:
    """`read` takes less than `most` times as long for `long` as for `short`, or as `least` seconds.

    The shortest of several times is compared, of this thread alone: a busy machine and other threads only add to it.
    Where it is too long it is measured again, which helps no reader that is slow by itself.
    """
    shortest = {short: math.inf, long: math.inf}
    for number in range(_MOST):
        for text in (short, long):
            before = time.thread_time()
            read(text)
            shortest[text] = min(shortest[text], time.thread_time() - before)
        if number + 1 >= _LEAST and shortest[long] < most * max(shortest[short], least):
            return
    raise AssertionError(f"{shortest[long]} s, and {shortest[short]} s for the short text")
