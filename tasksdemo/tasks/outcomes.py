"""Tasks that end in the rarer ways. (Revoked and expired ones are ordinary tasks: see tasksdemo/starts.py.)"""

import os
import signal

from billiard import current_process
from celery import shared_task
from celery.exceptions import Ignore, Reject

from tasksdemo.shop.pace import work


# A task can only be rejected while its message is not acknowledged.
@shared_task(acks_late=True)
def reject_task(reason: str = "not for this shop") -> None:
    """Refuse the message without having it delivered again: REJECTED."""
    raise Reject(reason, requeue=False)


@shared_task
def ignore_task() -> None:
    """Start, and never say how it ended: Celery sends no event after `task-started`."""
    raise Ignore


@shared_task
def lose_worker_task() -> None:
    """Have the pool's child process killed, as the kernel does when memory runs out: FAILURE, WorkerLostError.

    Raises RuntimeError in a pool without child processes, where the kill would take the whole worker.
    """
    work(0.3, longest=1.0)
    # Celery's prefork pool numbers its children; the main process has no number (billiard/pool.py).
    if getattr(current_process(), "index", None) is None:
        raise RuntimeError("only a prefork worker survives this task")
    os.kill(os.getpid(), signal.SIGKILL)
