"""A watched app with the plug-in, and with faults in it: BROKER=... FAULT=monitoring.celery.messages.queue_of."""

import json
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from celery import Celery, Task

from monitoring.celery import install

app = Celery(
    "watched",
    broker=os.environ.get("BROKER", "memory://"),
    events=os.environ.get("WATCHED_EVENTS") or None,
    set_as_current=False,
)
app.conf.update(
    task_send_sent_event=os.environ.get("SENT_EVENT") == "on",
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_default_queue="watched",
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)
install(app)


def _fail(*_args: Any, **_options: Any) -> Any:
    raise RuntimeError("hunter2")


for fault in filter(None, os.environ.get("FAULT", "").split(",")):
    where, _, what = fault.rpartition(".")
    holder: Any
    try:
        holder = import_module(where)
    except ModuleNotFoundError:
        module, _, name = where.rpartition(".")
        holder = getattr(import_module(module), name)
    assert hasattr(holder, what), fault
    setattr(holder, what, _fail)


def note(**said: Any) -> None:
    """What a task was really given, for the test."""
    with Path(os.environ["RUNS"]).open("a") as runs:
        runs.write(json.dumps(said, default=repr) + "\n")


@app.task(bind=True)
def take(self: "Task[Any, Any]", *args: Any, **kwargs: Any) -> str:
    """Say what it was given."""
    note(id=self.request.id, given=repr((args, kwargs)))
    return "taken"


@app.task(bind=True, max_retries=1)
def retry_once(self: "Task[Any, Any]", password: str) -> str:
    """Fail once, say something on the way."""
    self.send_event("task-progress", current=1, total=2, message=f"password={password}")
    if not self.request.retries:
        raise self.retry(exc=ValueError(f"password={password}"), countdown=0.1)
    note(id=self.request.id, given=password)
    return f"password={password}"


@app.task(soft_time_limit=3600)
def slow(seconds: float) -> None:
    """Take its time."""
    time.sleep(seconds)
