"""What other processes do to the database while pages watch it: ``python -m tests.live.prepare start <task id>``.

user <name> [permission ...]   make a staff user and sign it in; prints its cookie
sign-out <session key>         end a session
start, end <task id>           have a task started or ended, and tell the feed
trickle <task id ...>          start tasks one after the other, more than a frame apart
"""

import sys
import time
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitoring.live.feed import FeedWriter  # noqa: E402
from monitoring.models import Task  # noqa: E402
from tests.factories import make_task, make_user  # noqa: E402


def user(name: str, *permissions: str) -> None:
    client = Client()
    client.force_login(User.objects.filter(username=name).first() or make_user(name, *permissions))
    cookie = settings.SESSION_COOKIE_NAME
    print(f"{cookie}={client.cookies[cookie].value}")


def sign_out(key: str) -> None:
    SessionStore(key).delete()


def start(task_id: str) -> None:
    now = timezone.now()
    make_task(
        task_id, state="STARTED", runtime=None, first_seen=now, attempt_started_at=now - timedelta(seconds=1)
    )
    tell(task_id)


def trickle(*task_ids: str) -> None:
    for task_id in task_ids:
        start(task_id)
        time.sleep(1.2)


def end(task_id: str) -> None:
    Task.objects.filter(pk=task_id).update(state="SUCCESS", finished_at=timezone.now(), runtime=1.0)
    tell(task_id)


def tell(task_id: str) -> None:
    """As a consumer does, through the same thread; without its word that it has just started."""
    from monitoring.ingest.events import Event
    from monitoring.ingest.stores.contract import Batch
    from monitoring.live.changes import Changes

    writer = FeedWriter("default")
    writer._changes = Changes()
    writer.note(Batch(tasks=[Event(task_id, "task-started", ("task-started",), 0, 0, "w", None, {})]))
    writer.start()
    writer.stop()


COMMANDS = {"user": user, "sign-out": sign_out, "start": start, "end": end, "trickle": trickle}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
