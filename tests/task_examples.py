"""Tasks at both ends of what a page has to bear: the one of the mock-ups, the shortest, the most monstrous."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from monitoring.conf import MonitoringSettings
from monitoring.ingest.text import storable
from monitoring.models import Task
from tests.factories import make_event, make_task, make_worker

FAILED = "9f31c2d4-07be-4f0a-9d35-51c6f8a77e02"
ROOT = "c2b90e11-0000-4000-8000-000000000000"
LIBRARY = "/srv/venv/lib/python3.11/site-packages"
TRACEBACK = f"""Traceback (most recent call last):
  File "{LIBRARY}/urllib3/connectionpool.py", line 536, in _make_request
    response = conn.getresponse()
  File "{LIBRARY}/requests/adapters.py", line 667, in send
    resp = conn.urlopen(method=request.method, url=url)
requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.paylane.example', port=443): Read timed out.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "{LIBRARY}/celery/app/trace.py", line 736, in __protected_call__
    return self.run(*args, **kwargs)
  File "{LIBRARY}/celery/app/autoretry.py", line 34, in run
    return task._orig_run(*args, **kwargs)
  File "/srv/shop/payments/tasks.py", line 64, in capture_payment
    gateway.capture(order, token)
  File "/srv/shop/payments/gateway.py", line 118, in capture
    raise GatewayTimeout(f"no answer from {{host}} in 3.0 s") from error
payments.gateway.GatewayTimeout: no answer from api.paylane.example/v2/captures in 3.0 s
"""
EXCEPTION = "GatewayTimeout('no answer from api.paylane.example/v2/captures in 3.0 s')"


def failed_in_a_family() -> Task:
    """The task of the mock-ups: three attempts, a parent, brothers, children, and earlier runs."""
    begin = timezone.now() - timedelta(minutes=4)
    make_worker("celery@pay-1")
    root = make_task(ROOT, name="orders.tasks.place_order", first_seen=begin, runtime=1.08, root_id=ROOT,
                     sent_at=begin, received_at=begin, started_at=begin, attempt_started_at=begin,
                     finished_at=begin + timedelta(seconds=1.08))  # fmt: skip
    sent = begin + timedelta(seconds=1)
    task = make_task(
        FAILED, name="payments.tasks.capture_payment", state="FAILURE", worker="celery@pay-1", queue="payments",
        first_seen=sent, sent_at=sent, received_at=sent + timedelta(seconds=0.9),
        started_at=sent + timedelta(seconds=1.3), attempt_started_at=sent + timedelta(seconds=20.1),
        finished_at=sent + timedelta(seconds=23.2), updated_at=sent + timedelta(seconds=23.2), runtime=3.01, retries=2,
        wait=0.39, exception=EXCEPTION, exception_type="GatewayTimeout", traceback=TRACEBACK, root_id=ROOT,
        parent_id=ROOT, args="()", routing_key="payments", exchange="",
        kwargs="{'order_id': 48213, 'amount': '129.90', 'currency': 'EUR', 'card_token': [redacted], "
        "'customer': {'id': 90211, 'country': 'DE'}, 'lines': [1, 2, 3, 4, 5, 6]}",
    )  # fmt: skip
    make_event(task, "task-sent", 0, "gen7@web-2", retries=0, queue="payments")
    for retries, at in enumerate((0.9, 8.31, 19.7)):
        make_event(task, "task-received", at, "celery@pay-1", retries=retries)
        make_event(task, "task-started", at + 0.4, "celery@pay-1", pid=4121 + retries)
        kind = "task-failed" if retries == 2 else "task-retried"
        make_event(task, kind, at + 3.41, "celery@pay-1", exception=EXCEPTION, traceback=TRACEBACK)
    for number, (name, state) in enumerate(
        [("stock.tasks.reserve_stock", "SUCCESS"), ("mail.tasks.send_email", "SUCCESS"),
         ("mail.tasks.send_invoice", "PENDING"), ("orders.tasks.create_label", "PENDING")]
    ):  # fmt: skip
        at = sent + timedelta(seconds=number / 10)
        done = state == "SUCCESS"
        make_task(f"relative-{number}", name=name, state=state, first_seen=at, sent_at=at, root_id=ROOT,
                  parent_id=ROOT if number < 2 else FAILED, runtime=0.6 if done else None,
                  received_at=at + timedelta(seconds=0.3) if done else None,
                  started_at=at + timedelta(seconds=0.4) if done else None,
                  attempt_started_at=at + timedelta(seconds=0.4) if done else None,
                  finished_at=at + timedelta(seconds=1) if done else None)  # fmt: skip
    for number in range(59):
        state, runtime = ("SUCCESS", 0.1 + number % 7 / 50) if number > 24 else ("FAILURE", 3.0)
        make_task(f"run-{number}", name=task.name, state="RETRY" if number in (3, 9) else state, runtime=runtime,
                  retries=2 if number % 5 == 0 else 0, first_seen=sent - timedelta(seconds=20 * number))  # fmt: skip
    assert root.pk == ROOT
    return task


def shortest() -> Task:
    """All that is known is an id."""
    return make_task("s", name=None, state="PENDING", worker=None, queue=None, args=None, kwargs=None, runtime=None,
                     retries=None)  # fmt: skip


def monstrous(relatives: int = 500, attempts: int = 40, frames: int = 2_500) -> Task:
    """Two lines of traceback for each of `frames`, long arguments, many attempts, a chord's header of `relatives`."""
    begin = timezone.now() - timedelta(hours=2)
    words = "x" * 980
    own = '  File "/srv/shop/catalogue/imports.py", line {0}, in import_row_{0}\n    return next_row(row, {0})\n'
    library = (
        '  File "' + LIBRARY + '/celery/canvas.py", line {0}, in apply\n    return super().apply(**options)\n'
    )
    body = "".join((own if line % 3 else library).format(line) for line in range(frames))
    whole = f"Traceback (most recent call last):\n{body}catalogue.errors.ImportFailed: {words}\n"
    text = storable(whole, MonitoringSettings.MAX_TEXT_LENGTH)
    exception = f"ImportFailed('{words}')"
    root = make_task("chord-root", name="catalogue.tasks.import_all", first_seen=begin, root_id="chord-root")
    task = make_task(
        "monster", name="catalogue.tasks." + "import_everything_" * 8 + "again", state="FAILURE", retries=attempts - 1,
        first_seen=begin + timedelta(seconds=1), exception=exception, exception_type="ImportFailed", traceback=text,
        args=f"('{'a' * 1_000}...', ...)", kwargs="{'rows': [" + "[1, 2], " * 120 + ", ...], 'password': [redacted]}",
        result=f"{{'text': '{'r' * 1_000}...'}}", root_id="chord-root", parent_id=root.pk, worker="celery@" + "w" * 200,
        updated_at=begin + timedelta(seconds=attempts * 60), queue="q" * 200,
    )  # fmt: skip
    for number in range(attempts):
        at = number * 60
        make_event(task, "task-received", at, f"celery@import-{number % 3}", retries=number)
        make_event(task, "task-started", at + 2, f"celery@import-{number % 3}", pid=100 + number)
        kind = "task-failed" if number == attempts - 1 else "task-retried"
        make_event(task, kind, at + 30, f"celery@import-{number % 3}", exception=exception, traceback=text)
    states = ["SUCCESS"] * 20 + ["FAILURE", "STARTED", "RETRY"]
    at = [begin + timedelta(seconds=number / 5) for number in range(relatives)]
    Task.objects.bulk_create(
        Task(
            task_id=f"member-{number:04}", name="catalogue.tasks.import_row", state=states[number % len(states)],
            root_id="chord-root", parent_id="chord-root", first_seen=begin + timedelta(seconds=number / 10),
            started_at=at[number], attempt_started_at=at[number], finished_at=at[number] + timedelta(seconds=20),
            updated_at=at[number] + timedelta(seconds=20),
            runtime=20.0,
        )
        for number in range(relatives)
    )  # fmt: skip
    return task
