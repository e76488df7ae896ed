"""The failures pages: what they show to whom, what links where, and what people decide."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.ingest.fields import exception_of
from monitoring.models import AuditEntry, DeployMark, FailureTriage, Task
from monitoring.models.audit_entry import Ending
from monitoring.queries.failures import end_of_counts
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_user
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db

READ = ("view_failures", "view_task", "view_payload")
LIST = "/admin/monitoring/failures/"


@pytest.fixture
def end() -> datetime:
    return end_of_counts(timezone.now())


def client_of(*permissions: str, name: str = "marta") -> Client:
    client = Client()
    client.force_login(make_user(name, *permissions))
    return client


def page_of(task: Task) -> str:
    return reverse("admin:monitoring_failures_change", args=[task.fingerprint])


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def links(client: Client, url: str, pattern: str) -> list[str]:
    return [unescape(found) for found in re.findall(rf'href="({pattern})"', client.get(url).content.decode())]


def use(client: Client, verb: str, task: Task, **given: str) -> Any:
    url = reverse("admin:monitoring_failures_control", args=[verb])
    return client.post(url, {"target": task.fingerprint, "confirmed": "1", "next": LIST, **given})


def limited(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def test_the_list_shows_what_failed_where_and_how_often(end: datetime) -> None:
    make_failure(end - timedelta(hours=2), worker="celery@pay-1")
    make_failure(end - timedelta(minutes=5), worker="celery@pay-1")
    make_failure(end - timedelta(minutes=5), "refund", name="ledger.close", exception_type="KeyError")
    count_all()
    shown = text_of(client_of(*READ), LIST)
    assert "3 failures in 24 h" in shown
    assert re.search(
        r"GatewayTimeout New 3.0 s pay payments/gateway.py:118 in capture 2 2 h ago \d min ago pay-1", shown
    )
    assert re.search(r"KeyError New .* close payments/gateway.py:118 in refund 1 ", shown)
    assert "All 2 New 2 Spiking 0 Came back 0" in shown


def test_every_number_opens_the_list_of_as_many_tasks(end: datetime) -> None:
    for minutes in (2, 100, 170, 600, 3_000):
        make_failure(end - timedelta(minutes=minutes), exception_type="KeyError")
    make_failure(end - timedelta(minutes=30), "refund", exception_type=None, exception=None)
    count_all()
    client = client_of(*READ)
    html = client.get(f"{LIST}?period=7d").content.decode()
    numbers = re.findall(r'<a href="(/admin/monitoring/task/\?[^"]+)"[^>]*>([\d,]+)</a>', html)
    assert len(numbers) == 2 + 8
    for url, number in numbers:
        listed = client.get(unescape(url))
        assert len(listed.context["rows"]) == int(number), url


def test_filters_sorts_and_pages_stand_in_the_address(end: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(30):
        for _ in range(n + 1 if n == 7 else 1):
            make_failure(end - timedelta(minutes=n + 1), f"step_{'abcdefghijklmnopqrstuvwxyzABCD'[n]}")
    count_all()
    client = client_of(*READ)
    assert "1 to 25 of 30 groups" in text_of(client, LIST)
    assert "26 to 30 of 30 groups" in text_of(client, f"{LIST}?page=2")
    now = timezone.now()
    with monkeypatch.context() as patched:
        # How long ago something was is the same on both.
        patched.setattr(timezone, "now", lambda: now)
        assert text_of(client, f"{LIST}?page=99") == text_of(client, f"{LIST}?page=2").replace(
            "page=2", "page=99"
        )
    assert "1 to 1 of 1 groups" in text_of(client, f"{LIST}?q=STEP_H")
    assert re.search(
        r"Workers GatewayTimeout New 3.0 s pay payments/gateway.py:118 in step_h 8 ",
        text_of(client, f"{LIST}?sort=count"),
    )
    assert "No group of failures matches these filters" in text_of(client, f"{LIST}?standing=muted")
    for strange in ("?period=x&sort=y&standing=z&page=-1", "?q=%00", "?page=1e9"):
        assert client.get(f"{LIST}{strange}").status_code == 200


def test_bars_of_the_matrix_compare_the_exceptions_of_one_window(end: datetime) -> None:
    for minutes in (5, 6, 100, 600):
        make_failure(end - timedelta(minutes=minutes), exception_type="KeyError")
    make_failure(end - timedelta(minutes=5), "refund", exception_type="OSError")
    count_all()
    context = client_of(*READ).get(LIST).context
    bars = {kind: [bar for _count, _query, bar in counts] for kind, counts in context["matrix"]}
    assert bars == {"KeyError": [100, 100, 100, 100], "OSError": [50, 33, 25, 25]}


def test_the_list_is_narrowed_to_one_task(end: datetime) -> None:
    for minutes in (2, 100, 600):
        make_failure(end - timedelta(minutes=minutes), exception_type="KeyError")
    make_failure(end - timedelta(minutes=5), "close", name="ledger.close", exception_type="KeyError")
    make_failure(end - timedelta(minutes=5), "close", name="shop.pay_later", exception_type="KeyError")
    count_all()
    client = client_of(*READ)
    url = f"{LIST}?name=shop.pay&period=7d&sort=count"
    shown = text_of(client, url)
    assert "3 failures in 7 d" in shown
    assert "1 to 1 of 1 groups" in shown
    html = client.get(url).content.decode()
    numbers = re.findall(r'<a href="(/admin/monitoring/task/\?[^"]+)"[^>]*>([\d,]+)</a>', html)
    assert len(numbers) == 1 + 4
    for link, number in numbers:
        assert len(client.get(unescape(link)).context["rows"]) == int(number), link
    assert '<input type="hidden" name="name" value="shop.pay">' in html
    chip = re.search(r'mon-chip".*?<b>([^<]+)</b>.*?href="([^"]+)"', html, re.S)
    assert chip
    assert chip[1] == "shop.pay"
    assert "5 failures in 7 d" in text_of(client, LIST + unescape(chip[2]))
    for segment in links(client, url, r"\?[^\"]*standing=new[^\"]*"):
        assert "name=shop.pay" in segment
    assert "shop.mail has not failed in the last 24 h" in text_of(client, f"{LIST}?name=shop.mail")
    assert client.get(f"{LIST}?name=%00").status_code == 200


def test_nothing_is_said_of_payloads_without_the_permission(end: datetime) -> None:
    task = make_failure(
        end - timedelta(minutes=5), args="('ARGSECRET',)", exception="GatewayTimeout('EXCSECRET')"
    )
    count_all()
    client = client_of("view_failures", "view_task")
    for url in (LIST, page_of(task)):
        html = client.get(url).content.decode()
        assert "GatewayTimeout" in html
        for secret in ("SECRET", "gateway.py"):
            assert secret not in html, (url, secret)
    assert "No group of failures matches" in text_of(client, f"{LIST}?q=gateway.py")


@pytest.mark.parametrize("missing", ["view_failures", "view_task"])
def test_both_permissions_are_needed(end: datetime, missing: str) -> None:
    task = make_failure(end - timedelta(minutes=5))
    client = client_of(*(permission for permission in READ if permission != missing))
    for url in (LIST, page_of(task)):
        assert client.get(url).status_code == 403


def test_a_limited_user_sees_no_other_groups(end: datetime, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.admin.test_failures.limited"}
    make_failure(end - timedelta(minutes=5))
    hidden = make_failure(end - timedelta(minutes=5), name="ledger.close", exception_type="LedgerError")
    count_all()
    client = client_of(*READ, "manage_alerts")
    shown = text_of(client, LIST)
    assert "ledger" not in shown
    assert "LedgerError" not in shown
    assert "Workers" not in shown.split("Exception, task and place")[1]
    assert client.get(page_of(hidden))["Location"] == LIST
    use(client, "failure_acknowledge", hidden)
    assert not FailureTriage.objects.exists()
    assert AuditEntry.objects.get().ending == Ending.NOTHING


def test_the_page_of_a_group_compares_arguments_and_lists_its_tasks(end: datetime) -> None:
    for n in range(30):
        at = end - timedelta(minutes=n + 5)
        task = make_failure(at, args=f"({n},)", kwargs="{'country': 'AT'}")
        make_task(name="shop.pay", first_seen=at, args=f"({n},)", kwargs="{'country': 'DE'}")
    count_all()
    client = client_of(*READ)
    shown = text_of(client, page_of(task))
    assert "country = 'AT' 100 % 0 %" in shown
    assert "newest 30 that failed like this and 30 of the same task that succeeded" in shown
    [url] = list(links(client, page_of(task), r"/admin/monitoring/task/\?fingerprint=[^\"]+finished[^\"]+"))
    assert len(client.get(url).context["rows"]) == 30
    for period in ("1h", "7d", "30d"):
        assert client.get(f"{page_of(task)}?period={period}").status_code == 200


def test_versions_stand_beside_the_times(end: datetime) -> None:
    DeployMark.objects.create(at=end - timedelta(hours=3), label="v1.1")
    DeployMark.objects.create(at=end - timedelta(hours=1), label="<v1.2>")
    make_failure(end - timedelta(hours=2))
    task = make_failure(end - timedelta(minutes=30))
    count_all()
    client = client_of(*READ)
    for url in (LIST, page_of(task)):
        assert re.search(r"2 h ago (· )?v1.1 .*min ago (· )?<v1.2>", text_of(client, url)), url


def test_deployments_are_marked_on_the_chart_of_a_group(end: datetime) -> None:
    for hours, label in ((30, "v1.0"), (3, "v1.1"), (0.75, "<v1.2>")):
        DeployMark.objects.create(at=end - timedelta(hours=hours), label=label)
    task = make_failure(end - timedelta(minutes=30))
    count_all()
    client = client_of(*READ)
    for period, labels in (
        ("1h", ["<v1.2>"]),
        ("24h", ["v1.1", "<v1.2>"]),
        ("7d", ["v1.0", "v1.1", "<v1.2>"]),
    ):
        response = client.get(f"{page_of(task)}?period={period}")
        drawn = json.loads(response.context["chart"].drawn)
        assert [mark["label"] for mark in drawn["marks"]] == labels
        assert response.content.decode().count("mon-chart-mark") == len(labels)


def test_the_legend_says_of_which_half_hour_it_is_while_the_next_one_fills(end: datetime) -> None:
    task = make_failure(end - timedelta(minutes=1))
    count_all()
    client = client_of(*READ)
    chart = client.get(f"{page_of(task)}?period=24h").context["chart"]
    words = text_of(client, f"{page_of(task)}?period=24h")
    if chart.filling:
        begun = timezone.localtime(chart.times[-2]).strftime("%H:%M:%S")
        assert re.search(rf"from (\d+ \w+ \d+ )?{begun} ?, the newest that is full", words)
    else:
        assert "the newest that is full" not in words
    assert "the newest that is full" not in text_of(client, f"{page_of(task)}?period=1h")


def test_a_task_that_rejected_its_message_is_said_to_have_done_so(end: datetime) -> None:
    text = "reject requeue=False: not for this shop"
    kind = exception_of(text, None)[1]
    task = make_failure(end - timedelta(minutes=5), exception_type=kind, exception=text)
    count_all()
    words = "The task rejected its message (celery.exceptions.Reject)"
    reader, other = client_of(*READ), client_of("view_failures", "view_task", name="oskar")
    of_task = reverse("admin:monitoring_task_change", args=[task.pk])
    for url in (LIST, page_of(task)):
        for client, said in ((reader, f"{words}: not for this shop"), (other, words)):
            shown = text_of(client, url)
            assert said in shown
            assert "Exception not known" not in shown
        assert "not for this shop" not in text_of(other, url)
    assert f"{words}." in text_of(other, of_task)
    assert "Reject not for this shop" in text_of(reader, of_task)


def test_an_older_worker_reports_the_rejection_alone(end: datetime) -> None:
    task = make_task(state="REJECTED", finished_at=end)
    shown = text_of(client_of(*READ), reverse("admin:monitoring_task_change", args=[task.pk]))
    assert "The task rejected its message (celery.exceptions.Reject)." in shown


def test_a_group_outlives_its_tasks(end: datetime) -> None:
    task = make_failure(end - timedelta(minutes=5))
    count_all()
    Task.objects.all().delete()
    assert "None of its tasks is kept any more" in text_of(client_of(*READ), page_of(task))


def test_a_failed_tasks_page_says_how_many_failed_like_it(end: datetime) -> None:
    task = make_failure(end - timedelta(minutes=5))
    make_failure(end - timedelta(days=3))
    count_all()
    client = client_of(*READ)
    url = reverse("admin:monitoring_task_change", args=[task.pk])
    assert "2 tasks failed like this in the last 30 days" in text_of(client, url)
    assert f'href="{page_of(task)}?period=30d"' in client.get(url).content.decode()


def test_what_people_decide_is_shown_and_in_the_audit_log(end: datetime) -> None:
    task = make_failure(end - timedelta(minutes=5))
    count_all()
    client = client_of(*READ, "manage_alerts", "view_auditentry")
    until = timezone.localtime(timezone.now() + timedelta(days=2))
    assert use(client, "failure_acknowledge", task).status_code == 302
    use(client, "failure_assign", task, assignee="marta")
    use(client, "failure_note", task, note="The gateway was down.\nSee <b>ticket</b> 7.")
    shown = text_of(client, page_of(task))
    for words in (
        "Acknowledged",
        "For marta",
        "The gateway was down.",
        "marta wrote a note on the failures recorded",
    ):
        assert words in shown
    assert "&lt;b&gt;ticket&lt;/b&gt;" in client.get(page_of(task)).content.decode()
    use(client, "failure_mute", task, until=f"{until:%Y-%m-%dT%H:%M}")
    assert "Muted until" in text_of(client, LIST)
    decided = FailureTriage.objects.get()
    assert (decided.acknowledged_by, decided.muted_by, decided.noted_by) == ("marta", "marta", "marta")
    assert decided.muted_until == until.replace(second=0, microsecond=0)
    for verb in ("failure_unmute", "failure_unacknowledge", "failure_assign", "failure_note"):
        assert use(client, verb, task).status_code == 302
    decided.refresh_from_db()
    assert (decided.acknowledged_at, decided.muted_until, decided.assignee, decided.note) == (
        None,
        None,
        "",
        "",
    )
    done = AuditEntry.objects.order_by("pk").values_list("verb", "ending", "targets", "user_name")
    assert [verb for verb, *_ in done][:4] == [
        "failure_acknowledge",
        "failure_assign",
        "failure_note",
        "failure_mute",
    ]
    assert {(ending, tuple(targets), name) for _, ending, targets, name in done} == {
        (Ending.DONE, (task.fingerprint,), "marta")
    }


@pytest.mark.parametrize(
    ("verb", "given", "words"),
    [
        ("failure_mute", {"until": "2020-01-01T00:00"}, "That time is over"),
        ("failure_mute", {"until": "2999-01-01T00:00"}, "A year ahead at most"),
        ("failure_mute", {"until": ""}, "This field is required"),
        ("failure_assign", {"assignee": "nobody"}, "Nobody of the staff signs in with this name"),
    ],
)
def test_what_cannot_be_decided_is_said(end: datetime, verb: str, given: dict[str, str], words: str) -> None:
    task = make_failure(end - timedelta(minutes=5))
    count_all()
    response = use(client_of(*READ, "manage_alerts"), verb, task, **given)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not FailureTriage.objects.exists()


VERBS = ("acknowledge", "unacknowledge", "mute", "unmute", "assign", "note")


@pytest.mark.parametrize("verb", [f"failure_{verb}" for verb in VERBS])
def test_deciding_needs_the_permission_a_post_and_a_token(end: datetime, verb: str) -> None:
    task = make_failure(end - timedelta(minutes=5))
    count_all()
    reader = client_of(*READ)
    assert use(reader, verb, task).status_code == 403
    assert AuditEntry.objects.get().ending == Ending.REFUSED
    assert "mon-failure-bulk" not in reader.get(LIST).content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("oskar", *READ, "manage_alerts"))
    assert use(strict, verb, task).status_code == 403
    url = reverse("admin:monitoring_failures_control", args=[verb])
    assert strict.get(url, {"target": task.fingerprint, "confirmed": "1"}).status_code == 200
    assert not FailureTriage.objects.exists()


def test_hostile_text_is_text(end: datetime) -> None:
    evil = "<script>alert(1)</script>"
    task = make_failure(
        end - timedelta(minutes=5),
        name=evil,
        exception_type=evil,
        exception=f"E('{evil}')",
        worker=evil,
        args=f"('{evil}',)",
        traceback=f'Traceback (most recent call last):\n  File "/srv/{evil}/x.py", line 3, in {evil}\n    x\n{evil}\n',
    )
    count_all()
    client = client_of(*READ, "manage_alerts")
    question = (
        f"{reverse('admin:monitoring_failures_control', args=['failure_note'])}?target={task.fingerprint}"
    )
    for url in (
        LIST,
        page_of(task),
        question,
        f"{LIST}?q={evil}",
        f"{LIST}?name={evil}",
        f"{LIST}?name=x{evil}",
    ):
        assert evil not in client.get(url).content.decode(), url


@pytest.mark.parametrize("using", ["default", "postgresql"])
@pytest.mark.django_db(databases=["default", "postgresql"])
def test_no_page_asks_more_than_twelve_statements(end: datetime, settings: Any, using: str) -> None:
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    settings.MONITORING = {**settings.MONITORING, "DATABASE": using}
    for n in range(40):
        task = make_failure(end - timedelta(minutes=n + 5), f"f{'abcdefgh'[n % 8]}", using)
    count_all(using)
    client = client_of(*READ, "manage_alerts", "view_auditentry")
    client.get(LIST)
    for url in (LIST, f"{LIST}?period=30d&sort=count&q=pay", page_of(task), f"{page_of(task)}?period=30d"):
        with (
            CaptureQueriesContext(connections["default"]) as one,
            CaptureQueriesContext(connections[using]) as other,
        ):
            assert client.get(url).status_code == 200
        queries = [*one, *(other if using != "default" else [])]
        assert len(queries) <= 12, "\n".join(query["sql"][:150] for query in queries)
