"""A task that says how far it is."""

import time

from celery import shared_task

from monitoring import progress

MAX_STEPS, MAX_SECONDS = 1000, 600


@shared_task
def progress_task(steps: int = 20, seconds: float = 10) -> dict[str, int]:
    """Work through `steps` (1 to MAX_STEPS) in `seconds` (0 to MAX_SECONDS), reporting each.

    Raises ValueError outside of those.
    """
    if not (1 <= steps <= MAX_STEPS and 0 <= seconds <= MAX_SECONDS):
        raise ValueError(f"at most {MAX_STEPS} steps and {MAX_SECONDS} s, not {steps} and {seconds}")
    for step in range(1, steps + 1):
        time.sleep(seconds / steps)
        progress.report(step, steps, f"Step {step} of {steps}")
    return {"steps": steps}
