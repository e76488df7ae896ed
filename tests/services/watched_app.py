"""A watched project that is no Django project: a Celery app with one task of each kind that the tests need.

BROKER=amqp://... celery -A tests.services.watched_app worker
"""

import os
import time
from typing import Any

from celery import Celery, Task
from celery.exceptions import Reject

# Not the current app: tests import this module, and the bundled project has one already.
app = Celery("watched", broker=os.environ.get("BROKER", "memory://"), set_as_current=False)
app.conf.update(
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_default_queue="watched",
    task_ignore_result=True,
    result_backend=None,
    worker_hijack_root_logger=False,
)


class Unavailable(Exception):
    """It may work the next time."""


class LoginRefused(Exception):
    """The partner did not take the credentials."""


@app.task
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@app.task
def sleep(seconds: float) -> float:
    """Sleep, and say for how long."""
    time.sleep(seconds)
    return seconds


@app.task(bind=True, max_retries=5)
def retry_twice(self: "Task[Any, Any]") -> str:
    """Fail twice, then succeed."""
    if self.request.retries < 2:
        raise self.retry(exc=Unavailable(f"attempt {self.request.retries + 1}"), countdown=0.1)
    return "at last"


@app.task(acks_late=True)
def reject() -> None:
    """Refuse the message for good."""
    raise Reject("no", requeue=False)


@app.task(bind=True)
def careless(self: "Task[Any, Any]", *args: Any, fail: bool = False, **kwargs: Any) -> dict[str, Any]:
    """Put what it is given into every place that a task has; `kwargs["password"]` is the secret."""
    password = kwargs["password"]
    self.send_event(
        "task-audit", api_key=password, nested={"deeper": [{"token": password}]}, note=f"pwd={password}"
    )
    self.send_event("task-progress", current=1, total=2, message=f"signing in with password={password}")
    if fail:
        raise LoginRefused(
            f"refused: username='bob', password={password!r}, header=Authorization: Bearer {password}"
        )
    return {
        "access_token": password,
        "session": {"cookie": password},
        "url": f"amqp://bob:{password}@broker//",
    }
