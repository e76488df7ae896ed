"""The configuration page: values side by side, advice on top, and nothing secret anywhere."""

from __future__ import annotations

import logging
import re
from typing import Any

import celery
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.inspection.intake import take
from monitoring.models import WorkerSnapshot
from monitoring.templatetags.monitoring_format import breakable
from tests.configuration.test_masking import PLANTED, SECRET
from tests.factories import make_user, make_worker
from tests.queries.worker_parts.answers import answers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> celery.Celery:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(task_send_sent_event=True, task_time_limit=60)
    monkeypatch.setattr("monitoring.queries.configuration.watched_app", lambda: app)
    return app


def says(hostname: str, **changes: Any) -> None:
    make_worker(hostname)
    conf = take("conf", answers("prefork")["conf"] | changes, configured_redactor()).content
    now = timezone.now()
    WorkerSnapshot.objects.create(hostname=hostname, kind="conf", content=conf, asked_at=now, answered_at=now)


def page(client: Client, query: str = "") -> str:
    response = client.get(reverse("admin:monitoring_config_changelist") + query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def line(html: str, setting: str) -> str:
    found = re.search(rf'<tr data-setting="{setting}".*?</tr>', html)
    assert found, setting
    return found[0]


def test_workers_that_differ_are_marked_with_who_has_what(admin_client: Client) -> None:
    says("celery@web", accept_content=["json"])
    says("celery@pay", accept_content=["json", "pickle"])
    html = page(admin_client)
    row = line(html, "accept_content")
    assert "mon-config-warn" in row
    assert "differs" in row
    assert "on celery@pay" in row
    assert "on this app, celery@web" in row
    assert "celery@pay: Pickle is accepted." in html
    assert 'class="mon-advice-bad"' in html
    assert "std-setting-accept_content" in row


def test_what_is_changed_is_bold_beside_its_default(admin_client: Client) -> None:
    says("celery@web", worker_prefetch_multiplier=1)
    row = line(page(admin_client), "worker_prefetch_multiplier")
    assert "<b>1</b>" in row
    assert "<code>4</code>" in row


def test_settings_in_seconds_say_their_duration_in_words(admin_client: Client) -> None:
    says("celery@web", task_time_limit=3600, result_expires="6:00:00", worker_max_tasks_per_child=3600)
    says("celery@pay", task_time_limit=90, result_expires="6:00:00", worker_max_tasks_per_child=3600)
    html = page(admin_client)
    row = line(html, "task_time_limit")
    assert re.search("3600<.*· 1 h</span> .*on celery@web", row)
    assert re.search("90<.*· 1 min 30 s</span> .*on celery@pay", row)
    assert "· 6 h</span>" in line(html, "result_expires")
    assert "·" not in line(html, "worker_max_tasks_per_child")
    tab = reverse("admin:monitoring_worker_change", args=["celery@web"]) + "?tab=configuration"
    assert "· 1\xa0h</span>" in admin_client.get(tab).content.decode()


def test_columns_have_heads_and_names_break_between_their_words(
    admin_client: Client, app: celery.Celery
) -> None:
    app.conf.update(beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler")
    html = page(admin_client)
    tables = re.findall(r'<table class="mon-table mon-config">.*?</table>', html)
    assert tables
    for table in tables:
        [head] = re.findall(r"<thead>.*?</thead>", table)
        assert re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', head) == [
            "Setting",
            "Value",
            "Default",
            "Marks",
            "Docs",
        ]
    row = line(html, "beat_scheduler")
    assert "<code>beat_<wbr>scheduler</code>" in row
    assert "django_<wbr>celery_<wbr>beat.<wbr>schedulers:<wbr>DatabaseScheduler" in row
    assert breakable("a.b_<c> 1.5 __x") == "a.<wbr>b_&lt;c&gt; 1.5 __<wbr>x"


def test_the_page_can_be_narrowed(admin_client: Client) -> None:
    says("celery@web", timezone="Europe/Vienna")
    says("celery@pay", timezone="Asia/Tokyo")
    html = page(admin_client, "?group=beat&show=differs")
    assert set(re.findall(r'data-setting="(\w+)"', html.split("mon-worker-fold")[0])) == {
        "beat_schedule",
        "timezone",
    }
    assert "Asia/Tokyo" not in page(admin_client, "?worker=celery@web")
    assert "Europe/Vienna" in page(admin_client, "?q=vienna")
    assert "No setting matches" in page(admin_client, "?q=no+such+thing")


def test_secrets_are_nowhere_on_the_page_or_in_the_log(
    admin_client: Client, app: celery.Celery, caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.update(PLANTED)
    says("celery@web", **PLANTED)
    with caplog.at_level(logging.DEBUG):
        for query in ("", "?show=default&show=changed&show=masked", f"?q={SECRET[:5]}"):
            html = page(admin_client, query)
            assert SECRET not in html
    assert SECRET not in caplog.text
    assert "shop_greeting" in page(admin_client, "?q=shop_greeting")
    worker = reverse("admin:monitoring_worker_change", args=["celery@web"])
    assert SECRET not in admin_client.get(f"{worker}?tab=configuration").content.decode()


def test_an_offline_worker_is_said_to_be_old(admin_client: Client) -> None:
    says("celery@web")
    make_worker("celery@gone", online=False)
    html = page(admin_client)
    assert "Read from 1 of 2 workers" in html
    assert "celery@gone was not asked yet." in html


def test_an_app_that_cannot_be_loaded_is_said(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = celery.Celery("broken", set_as_current=False)
    broken.config_from_object("no_such_module_at_all")
    monkeypatch.setattr("monitoring.queries.configuration.watched_app", lambda: broken)
    assert "cannot be loaded here: ModuleNotFoundError" in page(admin_client)


def test_reading_again_is_for_who_may_ask_workers() -> None:
    says("celery@web")
    client = Client()
    client.force_login(make_user("someone", "view_config"))
    assert "Read again" not in page(client)
    client.force_login(make_user("other", "view_config", "view_worker"))
    assert "Read again" in page(client)


def test_a_limited_user_sees_none_of_it(admin_client: Client, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.admin.test_permissions.limited"}
    says("celery@web")
    html = page(admin_client)
    assert "not yours to see" in html
    assert "data-setting" not in html
