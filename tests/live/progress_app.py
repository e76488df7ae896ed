"""A watched project whose tasks report their progress. BROKER=amqp://... celery -A tests.live.progress_app worker"""

import os
import time

from celery import Celery

from monitoring import progress
from monitoring.progress import report

# A machine that stands still for a moment is no broker that does not answer.
progress.LONGEST_REPORT = 60.0

app = Celery("progress", broker=os.environ.get("BROKER", "memory://"), set_as_current=False)
app.conf.update(
    task_send_sent_event=True,
    worker_send_task_events=True,
    task_default_queue="watched",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)


class Odd:
    """What no JSON has a word for."""

    def __ge__(self, other: object) -> bool:
        raise RuntimeError("cannot be compared")


@app.task
def count(seconds: float) -> int:
    """Report as often as it can; how often that was."""
    begun, reports = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        report(passed, seconds, f"{passed:.1f} s")
        reports += 1
    for _ in range(5):
        report(seconds, seconds, "done")
    return reports


@app.task
def report_nonsense() -> str:
    """Report what cannot be reported."""
    report(Odd(), 1)  # type: ignore[arg-type]
    report("much", "more")  # type: ignore[arg-type]
    report(None)  # type: ignore[arg-type]
    return "well"
