"""A real worker that runs one task, says as JSON what is in its process then, and stops.

DJANGO_SETTINGS_MODULE=... python -m tests.services.worker_witness
"""

import json
import sys
import threading
import weakref
from typing import Any

from celery import signals as celery_signals
from celery.utils.dispatch import Signal as CelerySignal
from celery.worker import state
from django.db import connections
from django.dispatch import Signal as DjangoSignal

from project.celery import app


@app.task
def look() -> dict[str, Any]:
    """What is in this process."""
    return {
        "modules": sorted(name for name in sys.modules if name.partition(".")[0] == "monitoring"),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "receivers": sorted(_receivers()),
        "connections": [c.alias for c in connections.all(initialized_only=True) if c.connection is not None],
        "boot steps": sorted(map(str, [*app.steps["worker"], *app.steps["consumer"]])),
    }


def _receivers() -> set[str]:
    """Every function that is connected to a signal of Celery or of Django, by its module and name."""
    found = set()
    for module in list(sys.modules.values()):
        for name, signal in list(vars(module).items()):
            if isinstance(signal, CelerySignal | DjangoSignal):
                for _, connected, *_ in signal.receivers or ():
                    receiver = connected() if isinstance(connected, weakref.ReferenceType) else connected
                    if receiver is not None:
                        found.add(f"{name}: {receiver.__module__}.{getattr(receiver, '__qualname__', '')}")
    return found


@celery_signals.worker_ready.connect(weak=False)
def begin(**_: Any) -> None:
    look.delay()


@celery_signals.task_postrun.connect(weak=False)
def end(retval: Any, **_: Any) -> None:
    # The worker sends what is printed to its log.
    print(json.dumps(retval, default=repr), file=sys.__stdout__, flush=True)
    state.should_stop = 0


if __name__ == "__main__":
    app.conf.update(broker_url="memory://", result_backend="cache+memory://", task_default_queue="celery")
    app.worker_main(["worker", "--pool", "solo", "--without-mingle", "--without-gossip", "-E"])
