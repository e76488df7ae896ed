"""The watched app of the real workers: each task leaves marks in a file, so that its effect can be seen.

BROKER=amqp://... BACKEND=file:///... celery -A tests.control.fleet_app worker
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.contrib.abortable import AbortableTask
from celery.exceptions import SoftTimeLimitExceeded

# Not the current app: tests import this module, and the bundled project has one already.
app = Celery("fleet", broker=os.environ.get("BROKER", "memory://"), set_as_current=False)
app.conf.update(
    result_backend=os.environ.get("BACKEND"),
    worker_prefetch_multiplier=1,
    worker_pool_restarts=os.environ.get("POOL_RESTARTS") == "yes",
    broker_connection_retry_on_startup=True,
    task_default_queue="fleet",
    task_send_sent_event=True,
    worker_hijack_root_logger=False,
)


def mark(path: str, word: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


@app.task(bind=True, shared=False)
def note(self: Task[Any, Any], path: str, *args: Any, **kwargs: Any) -> None:
    """Write down what it was called with."""
    mark(path, json.dumps([self.request.id, list(args), kwargs]))


@app.task(shared=False)
def sleep(path: str, seconds: float = 120) -> None:
    """Say in which process it starts, and that it has come to its end, if it does. A file beside its marks ends it."""
    try:
        mark(path, f"started {os.getpid()}")
        for _ in range(round(seconds * 20)):
            if Path(f"{path}.end").exists():
                break
            time.sleep(0.05)
    except SoftTimeLimitExceeded:
        mark(path, "soft time limit")
        return
    mark(path, "ended")


@app.task(bind=True, base=AbortableTask, shared=False)
def abortable(self: Any, path: str) -> None:
    """Look every moment whether it was aborted."""
    mark(path, "started")
    for _ in range(2_400):
        if self.is_aborted():
            mark(path, "aborted")
            return
        time.sleep(0.05)
