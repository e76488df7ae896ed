"""A Celery app whose broker is this process's memory: what is sent can be counted, and reaches nobody else."""

from __future__ import annotations

from celery import Celery

app = Celery("api-tests", broker="memory://", backend="disabled://", set_as_current=False)
app.conf.update(task_default_queue="api-tests", broker_transport_options={"polling_interval": 0.01})


@app.task(name="shop.note")
def note(text: str, copy: bool = False) -> None:
    """Never runs: nobody consumes this broker."""


def waiting(queue: str = "api-tests") -> int:
    """Messages in a queue."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        return int(channel._size(queue)) if channel._has_queue(queue) else 0


def purge(queue: str = "api-tests") -> None:
    with app.connection_for_read() as connection, connection.channel() as channel:
        if channel._has_queue(queue):
            channel._purge(queue)
