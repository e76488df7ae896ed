"""The incident that comes back: the payment gateway stops answering."""

FIRST_AT = 60.0  # s after the start: by then the pages know what is usual
LASTS = 45.0
EVERY = 240.0


def incident_at(elapsed: float) -> bool:
    """Whether the gateway is silent `elapsed` seconds after the start.

    >>> [incident_at(t) for t in (0, 59.9, 60, 104.9, 105, 299.9, 300)]
    [False, False, True, True, False, False, True]
    """
    return elapsed >= FIRST_AT and (elapsed - FIRST_AT) % EVERY < LASTS
