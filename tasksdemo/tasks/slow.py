"""A task that takes its time."""

import time

from celery import shared_task

MAX_DURATION = 600  # s


@shared_task
def slow_task(duration: float = 10) -> dict[str, str]:
    """Sleep `duration` seconds (0 to MAX_DURATION), then say so. Raises ValueError outside of that."""
    if not 0 <= duration <= MAX_DURATION:
        raise ValueError(f"duration must be between 0 and {MAX_DURATION} s, not {duration}")
    time.sleep(duration)
    return {"message": f"Task completed after {duration:g} seconds"}
