"""How long the shop's work takes."""

import math
import random
import time


def work(typical: float, *, spread: float = 0.5, longest: float = 60.0) -> float:
    """Sleep as long as such work takes: log-normal with the median `typical` (s), never over `longest` (s).

    `spread` is the standard deviation of the logarithm: with 0.5 one run in twenty takes 2.3 times the median,
    which is the long tail that real run times have. Returns the seconds slept.
    """
    seconds = min(longest, random.lognormvariate(math.log(typical), spread))
    time.sleep(seconds)
    return seconds
