"""Exports: everything that matches and nothing else, streamed, by both kinds of server."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from monitoring.control.actor import Actor
from monitoring.models import AuditEntry, Task
from monitoring.queries.export import export_rows
from monitoring.queries.selection import Selection
from monitoring.queries.task_columns import TASK_COLUMNS
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_user
from tests.queries.conftest import pytest_generate_tests, watched

__all__ = ["pytest_generate_tests", "watched"]

EXPORT = "admin:monitoring_task_export"
PAYLOAD = {name for name, column in TASK_COLUMNS.items() if column.payload}


def client_of(*permissions: str, kind: Any = Client) -> Any:
    client = kind()
    client.force_login(make_user("exporter", *permissions))
    return client


def exported(client: Client, **parameters: Any) -> bytes:
    response = client.get(reverse(EXPORT), parameters)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def make_many(using: str, number: int, **fields: Any) -> None:
    now = timezone.now() - timedelta(hours=1)
    Task.objects.using(using).bulk_create(
        Task(
            task_id=f"task-{index:06}",
            name="shop.a",
            state="SUCCESS",
            first_seen=now - timedelta(milliseconds=index // 7),
            updated_at=now,
            **fields,
        )
        for index in range(number)
    )


def test_all_that_match_are_exported_newest_first_and_once(using: str, watched: str) -> None:
    make_many(using, 5_300)
    make_task(using=using, name="other")
    rows = records(exported(client_of("view_task"), name="shop.a", _columns="task_id,first_seen"))
    assert len(rows) == len({row["task_id"] for row in rows}) == 5_300
    times = [row["first_seen"] for row in rows]
    assert times == sorted(times, reverse=True)


def test_json_lines_have_values_and_not_texts(using: str, watched: str) -> None:
    task = make_task(using=using, runtime=0.25, retries=2, queue=None)
    content = exported(client_of("view_task"), _format="jsonl")
    (row,) = [json.loads(line) for line in content.splitlines()]
    assert (row["task_id"], row["runtime"], row["retries"], row["queue"]) == (task.pk, 0.25, 2, None)
    assert set(row) == set(TASK_COLUMNS) - PAYLOAD


def test_columns_are_those_that_were_chosen_in_their_order(using: str, watched: str) -> None:
    make_task(using=using)
    content = exported(client_of("view_task"), _columns=["queue", "task_id,state"]).decode()
    assert content.splitlines()[0] == "queue,task_id,state"


def test_selected_tasks_alone_are_exported_in_their_order(using: str, watched: str) -> None:
    first, _other, last = (make_task(using=using) for _ in range(3))
    client = client_of("view_task")
    fields = {"_selected_action": [last.pk, first.pk, "nobody", "\0"], "_columns": "task_id"}
    response = client.post(reverse(EXPORT), fields)
    rows = records(b"".join(response.streaming_content))
    assert [row["task_id"] for row in rows] == [last.pk, first.pk]


def test_a_filter_can_be_posted_too(using: str, watched: str) -> None:
    make_task("a", using=using, state="FAILURE")
    make_task("b", using=using)
    response = client_of("view_task").post(reverse(EXPORT), {"query": "state=FAILURE", "_columns": "task_id"})
    assert [row["task_id"] for row in records(b"".join(response.streaming_content))] == ["a"]


def test_hostile_text_is_no_formula_in_any_column(using: str, watched: str) -> None:
    evil = "=cmd|' /C calc'!A0"
    texts = ("name", "worker", "queue", "exchange", "routing_key", "args", "kwargs", "result", "exception",
             "exception_type", "traceback", "root_id", "parent_id", "sent_by", "progress_message")  # fmt: skip
    make_task(evil, using=using, **dict.fromkeys(texts, evil))
    (row,) = records(exported(client_of("view_task", "view_payload"), _payload="1"))
    assert set(row) == set(TASK_COLUMNS)
    assert [name for name, cell in row.items() if cell.startswith("=")] == []
    assert row["args"] == "'" + evil


@pytest.mark.parametrize("name", sorted(PAYLOAD))
def test_a_payload_column_needs_its_permission(using: str, watched: str, name: str) -> None:
    make_task(using=using, **{name: "SECRET"})
    client = client_of("view_task")
    assert client.get(reverse(EXPORT), {"_columns": f"task_id,{name}"}).status_code == 403
    assert client.get(reverse(EXPORT), {"_payload": "1"}).status_code == 403
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.ending) == ("export", "refused")
    assert b"SECRET" not in exported(client)


def test_arguments_cannot_be_guessed_by_filtering(using: str, watched: str) -> None:
    make_task(using=using, args="('hunter2',)")
    assert records(exported(client_of("view_task"), q="hunter2")) == []


def test_tasks_that_may_not_be_seen_are_not_exported(using: str, watched: str, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    seen, hidden = make_task(using=using, name="shop.a"), make_task(using=using, name="bank.b")
    client = client_of("view_task")
    assert [row["task_id"] for row in records(exported(client))] == [seen.pk]
    response = client.post(reverse(EXPORT), {"_selected_action": [hidden.pk, seen.pk], "_columns": "task_id"})
    assert [row["task_id"] for row in records(b"".join(response.streaming_content))] == [seen.pk]


@pytest.mark.django_db
def test_without_the_permission_the_attempt_is_in_the_audit_log() -> None:
    assert client_of("view_worker").get(reverse(EXPORT)).status_code == 403
    assert AuditEntry.objects.get().ending == "refused"


@pytest.mark.django_db
def test_a_signed_out_reader_is_sent_to_the_login(client: Client) -> None:
    assert client.get(reverse(EXPORT))["Location"].startswith(reverse("admin:login"))
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parameters",
    [
        {"_format": "xlsx"},
        {"_columns": "password"},
        {"_columns": "task_id,pk"},
        {"_columns": "\0"},
        {"q": "("},
    ],
)
def test_what_cannot_be_exported_is_said(parameters: dict[str, str]) -> None:
    response = client_of("view_task").get(reverse(EXPORT), parameters)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")


@pytest.mark.django_db
def test_the_file_has_a_name_with_its_time_and_is_no_page() -> None:
    response = client_of("view_task").get(reverse(EXPORT), {"_format": "jsonl"})
    assert response["Content-Disposition"].startswith('attachment; filename="tasks-20')
    assert response["Content-Disposition"].endswith('.jsonl"')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content) == b""


@pytest.mark.django_db
def test_an_export_is_in_the_audit_log_with_its_rows() -> None:
    make_task("a")
    exported(client_of("view_task"), state="SUCCESS", _columns="task_id")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.ending, entry.done, entry.query) == ("export", "done", 1, "state=SUCCESS")
    assert entry.parameters == {"format": "csv", "columns": ["task_id"]}
    assert entry.duration is not None


@pytest.mark.django_db(transaction=True)
def test_an_export_that_is_broken_off_says_so() -> None:
    make_many("default", 200)
    response = client_of("view_task").get(reverse(EXPORT))
    parts: Iterator[bytes] = iter(response.streaming_content)
    assert next(parts)
    assert next(parts)
    response.close()
    entry = AuditEntry.objects.get()
    assert (entry.ending, entry.done < 200) == ("stopped", True)


@pytest.mark.django_db
def test_the_head_comes_before_any_question_to_the_tasks(django_assert_num_queries: Any) -> None:
    make_task()
    response = client_of("view_task").get(reverse(EXPORT), {"_columns": "task_id"})
    parts = iter(response.streaming_content)
    with django_assert_num_queries(0):
        assert next(parts) == b"task_id\r\n"
    assert b"".join(parts)


@pytest.mark.django_db(transaction=True)
async def test_an_asgi_server_sends_it_while_it_is_made() -> None:
    """Django would gather a plain iterator in memory first, with a warning, which is an error here."""
    await sync_to_async(make_many)("default", 3_000)
    client = AsyncClient()
    user = await sync_to_async(make_user)("exporter", "view_task")
    await client.aforce_login(user)
    response = await client.get(reverse(EXPORT), {"_columns": "task_id"})
    assert isinstance(response, StreamingHttpResponse)
    assert response.is_async
    parts = [part async for part in response]
    assert len(parts) >= 3
    assert len(b"".join(parts).splitlines()) == 3_001
    assert (await AuditEntry.objects.aget()).done == 3_000


@pytest.mark.django_db(transaction=True)
async def test_a_reader_of_an_asgi_server_who_leaves_ends_the_export() -> None:
    await sync_to_async(make_many)("default", 9_000)
    user = await sync_to_async(make_user)("exporter", "view_task")
    client = AsyncClient()
    await client.aforce_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    began, gone = asyncio.Event(), asyncio.Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await began.wait()
        gone.set()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            began.set()
            await gone.wait()
            await asyncio.sleep(0)

    path = reverse(EXPORT)
    headers = [(b"host", b"testserver"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": headers, "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
             "http_version": "1.1", "asgi": {"version": "3.0"}}  # fmt: skip
    await ASGIHandler()(scope, receive, send)
    entry = await AuditEntry.objects.aget()
    assert entry.ending == "stopped"
    assert entry.done < 9_000


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_rows() -> None:
    make_many("default", 14_000, worker="celery@" + "w" * 200)
    actor = Actor(make_user("exporter", "view_task"))
    columns = ["task_id", "name", "worker", "first_seen"]

    def peak(rows: int) -> int:
        query = f"from={(timezone.now() - timedelta(days=1)).isoformat()}".replace("+", "%2B")
        stretches = export_rows(
            Selection(timezone.now(), query=query), actor.visibility, columns, with_payload=False
        )
        gc.collect()
        tracemalloc.start()
        read = 0
        for stretch in stretches:
            read += len(stretch)
            if read >= rows:
                break
        stretches.close()  # type: ignore[attr-defined]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read >= rows
        return most

    peak(4_000)  # what is made once and kept
    assert peak(14_000) < 1.5 * peak(4_000)


def test_rows_that_come_meanwhile_are_not_exported(using: str, watched: str) -> None:
    make_many(using, 60)
    asked = Selection(timezone.now())
    rows = export_rows(asked, Visibility.everything(), ["task_id"], with_payload=False)
    first = next(rows)
    make_task("late", using=using, first_seen=timezone.now() + timedelta(seconds=1))
    found = {row[0] for row in first} | {row[0] for stretch in rows for row in stretch}
    assert len(found) == 60
    assert "late" not in found
