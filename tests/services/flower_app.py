"""The watched app of the comparison with Flower: Flower, the worker and ours all load it.

BROKER=redis://... celery -A tests.services.flower_app worker
"""

import os
import time
from typing import Any

from celery import Celery
from celery.app.control import Control
from celery.contrib.abortable import AbortableTask


class PatientControl(Control):
    """Flower waits a second for the answer of the worker that it means, and says otherwise that it failed."""

    def broadcast(self, *args: Any, **options: Any) -> Any:
        if options.get("destination"):
            options["timeout"] = 60.0
        return super().broadcast(*args, **options)


# Flower's routes on results ask the current app; of the processes that import this module none has another.
app = Celery("compared", broker=os.environ.get("BROKER", "memory://"), control=PatientControl)
app.conf.update(
    result_backend=os.environ.get("BROKER"),
    task_default_queue="compared",
    task_send_sent_event=True,
    task_track_started=True,
    worker_send_task_events=True,
    worker_pool_restarts=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def fail(word: str) -> None:
    raise ValueError(word)


@app.task(bind=True)
def retry_once(self: Any) -> str:
    if not self.request.retries:
        # Not at once: where another process ends the second attempt before this one has told of the first, the event of
        # the retry comes last, and Flower keeps the task in RETRY.
        raise self.retry(exc=ValueError("again"), countdown=1)
    return "at last"


@app.task
def parent() -> None:
    add.delay(1, 2)


@app.task
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@app.task(bind=True, base=AbortableTask)
def abortable(self: Any) -> str:
    for _ in range(600):
        if self.is_aborted():
            return "gave up"
        time.sleep(0.1)
    return "never told"
