"""The Celery app of a watched Django project: with Celery's own events or ours, and with constants made shorter.

WATCHED_EVENTS=monitoring.celery:DurableEvents TEST_CONSTANTS='{"monitoring.ingest.health.LOG_SECONDS": 1}'
"""

import json
import os
import time
from importlib import import_module
from pathlib import Path

from celery import Celery

app = Celery("watched", events=os.environ.get("WATCHED_EVENTS") or None, set_as_current=False)
app.config_from_object("django.conf:settings", namespace="CELERY")

for path, value in json.loads(os.environ.get("TEST_CONSTANTS", "{}")).items():
    module, _, name = path.rpartition(".")
    assert hasattr(import_module(module), name), path
    setattr(import_module(module), name, value)


def _note(name: str) -> None:
    with Path(os.environ["RUNS"]).open("a") as runs:
        runs.write(f"{name}\n")


@app.task(acks_late=True)
def slow(seconds: float) -> None:
    """Takes its time, and is acknowledged when it has ended."""
    _note("slow")
    time.sleep(seconds)


@app.task
def later() -> None:
    """To be sent with an ETA."""
    _note("later")
