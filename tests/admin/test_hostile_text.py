"""Everything that comes from a task or a worker is hostile text, and every id has a page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.utils import quote
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.admin.list_parts.columns import LISTED
from monitoring.control.marks import mark
from monitoring.models import Consumer, WorkerSnapshot
from tests.factories import (
    count_statistics,
    make_dead_letter,
    make_event,
    make_gap,
    make_queue,
    make_task,
    make_worker,
)

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
EVIL = f"\"'><img src=x onerror=alert(2)>{SCRIPT}{{{{ 7*7 }}}}"
IDS = [
    "plain",
    "with/slash/and/change/",
    "a b  c",
    "ünïcödé-日本語-🎉",
    "x" * 255,
    "per%cent_2F%2F",
    "_underscores__and_5F",
    "que?ry=1&b#frag;c",
    "new\nline\ttab",
    "quotes\"'<b>",
    "comma,colon:@[]{}|\\^`",
    "add",
    "..a..",
]


@pytest.fixture
def _evil(db: None) -> None:
    task = make_task(
        EVIL,
        name=EVIL,
        state="FAILURE",
        worker=EVIL,
        queue=EVIL,
        exchange=EVIL,
        routing_key=EVIL,
        sent_by=EVIL,
        args=EVIL,
        kwargs=repr({EVIL: EVIL}),
        result=EVIL,
        exception=f"ValueError({EVIL!r})",
        exception_type=EVIL,
        traceback=EVIL,
        root_id=EVIL + "root",
        parent_id=EVIL + "parent",
        progress=0.5,
        progress_message=EVIL,
        finished_at=timezone.now(),
    )
    make_task(EVIL + "parent", name=EVIL, state="REVOKED", signum=EVIL, terminated=True)
    fields = (
        "queue",
        "exception",
        "traceback",
        "message",
        "current",
        "total",
        "signum",
        "terminated",
        "pid",
        EVIL,
    )
    for kind in ("sent", "received", "started", "progress", "retried", "failed", "revoked", "rejected", EVIL):
        make_event(task, f"task-{kind}", 1, EVIL, **dict.fromkeys(fields, EVIL))
    make_worker(EVIL, pool=EVIL, software=EVIL, queues=[EVIL], load_average=[EVIL])
    make_dead_letter(reason=EVIL, content_type=EVIL, routing_key=EVIL, headers={EVIL: EVIL}, digest=EVIL[:64])
    make_gap(reason=EVIL)
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(name=EVIL, task=EVIL, interval=every, queue=EVIL)
    WorkerSnapshot.objects.create(
        hostname=EVIL,
        kind="conf",
        content={"timezone": EVIL, "task_routes": {EVIL: {"queue": EVIL * 9}}, EVIL: True},
        asked_at=timezone.now(),
        answered_at=timezone.now(),
    )
    mark(EVIL[:100])
    count_statistics()


@pytest.mark.usefixtures("_evil")
@pytest.mark.parametrize(
    "path",
    [
        "task/",
        f"task/?{urlencode({'column': LISTED}, doseq=True)}",
        f"task/{quote(EVIL)}/change/",
        f"task/{quote(EVIL + 'parent')}/change/",
        "worker/",
        f"worker/{quote(EVIL)}/change/",
        "deadletter/",
        "gap/",
        "schedule/",
        "config/?show=default&show=changed",
        "",
        "statistic/",
        f"statistic/?{urlencode({'name': EVIL})}",
        f"statistic/?{urlencode({'name': EVIL, 'tab': 'definition'})}",
    ],
)
def test_hostile_text_is_escaped(admin_client: Client, path: str) -> None:
    response = admin_client.get(reverse("admin:index") + "monitoring/" + path)
    assert response.status_code == 200
    html = response.content.decode()
    assert "alert(1)" in html
    assert SCRIPT not in html
    assert "<img src=x" not in html
    assert "\"'>" not in html, "it would end an attribute"


@pytest.mark.usefixtures("_evil")
def test_hostile_filters_are_escaped(admin_client: Client) -> None:
    query = dict.fromkeys(("q", "name", "worker", "queue", "period", "from", "to", "state", "before"), EVIL)
    for name in ("task", "statistic"):
        html = admin_client.get(reverse(f"admin:monitoring_{name}_changelist"), query).content.decode()
        assert SCRIPT not in html
        assert "<img src=x" not in html
    html = admin_client.get(reverse("admin:app_list", args=["monitoring"]), query).content.decode()
    assert SCRIPT not in html
    assert "<img src=x" not in html


def test_a_hostile_error_of_the_consumer_is_escaped(admin_client: Client) -> None:
    now = make_gap().started_at
    Consumer.objects.create(
        consumer_id="c", hostname="h", pid=1, started_at=now, reported_at=now, last_error=EVIL
    )
    html = admin_client.get(reverse("admin:monitoring_task_changelist")).content.decode()
    assert "alert(1)" in html
    assert SCRIPT not in html


@pytest.mark.parametrize("task_id", IDS)
def test_every_id_has_a_page_that_the_list_links_to(admin_client: Client, task_id: str) -> None:
    make_task(task_id, state="FAILURE")
    html = admin_client.get(reverse("admin:monitoring_task_changelist")).content.decode()
    found = re.search(r'<a class="mon-function" href="([^"]+)"', html)
    assert found
    response = admin_client.get(unescape(found[1]))
    assert response.status_code == 200
    assert response.context["task"].task_id == task_id


@pytest.mark.parametrize("task_id", IDS)
def test_every_host_name_has_a_page(admin_client: Client, task_id: str) -> None:
    make_worker(task_id)
    html = admin_client.get(reverse("admin:monitoring_worker_changelist")).content.decode()
    found = re.search(r'<a class="mon-function" href="([^"]+)"', html)
    assert found
    assert admin_client.get(unescape(found[1])).context["worker"].hostname == task_id


@pytest.mark.parametrize("key", ["nobody", "../../etc", "_", "\0", "%00", "x" * 3000])
@pytest.mark.parametrize("model", ["task", "worker"])
def test_what_is_not_there_leads_back_to_the_list(admin_client: Client, model: str, key: str) -> None:
    response: Any = admin_client.get(reverse(f"admin:monitoring_{model}_change", args=[quote(key)]))
    assert response.status_code == 302
    page = admin_client.get(response["Location"])
    assert page.status_code == 200
    assert "There is no" in page.content.decode()


def test_links_to_the_task_list_mean_a_name_whatever_signs_it_has(admin_client: Client) -> None:
    """In the address of the list a comma parts values, and ``*`` stands for anything."""
    name = 'pay,"*\\now'
    fields = {"name": name, "queue": name, "worker": name, "state": "FAILURE", "finished_at": timezone.now()}
    make_task("meant", **fields)
    make_task("waits", name=name, queue=name, state="PENDING")
    for other in ("pay", "now", 'pay,"and\\now'):
        make_task(f"other {other}", **{**fields, "name": other, "queue": other, "worker": other})
    make_worker(name)
    make_queue(name)
    now = timezone.now()
    WorkerSnapshot.objects.create(
        hostname=name, kind="registered", content={name: {}}, asked_at=now, answered_at=now
    )
    count_statistics()
    listed = reverse("admin:monitoring_task_changelist")
    pages = {
        reverse("admin:monitoring_task_change", args=["meant"]): {"queue", "name"},
        reverse("admin:monitoring_worker_change", args=[quote(name)]): {"worker"},
        reverse("admin:monitoring_queue_change", args=[quote(name)]): {"queue"},
        f"{reverse('admin:monitoring_statistic_changelist')}?{urlencode({'name': name})}": {"name"},
    }
    for page, parameters in pages.items():
        html = admin_client.get(page).content.decode()
        links = {unescape(link) for link in re.findall(rf'href="({listed}\?[^"]+)"', html)}
        followed = {link for link in links if parameters & set(QueryDict(link.partition("?")[2]))}
        assert followed, page
        for link in followed:
            rows = set(re.findall(r'data-task="([^"]+)"', admin_client.get(link).content.decode()))
            assert rows <= {"meant", "waits"}, link
            assert rows or "state=" in link, link
