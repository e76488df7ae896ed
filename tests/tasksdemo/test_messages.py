"""Messages: what the demo's tasks write, bounded, and shown in the admin."""

import pytest

from tasksdemo.models import Message
from tasksdemo.tasks import messages

pytestmark = pytest.mark.django_db


def make_messages(count: int) -> None:
    Message.objects.bulk_create(Message(text=f"message {number}", task_id="x") for number in range(count))


def test_trimming_keeps_the_newest():
    make_messages(7)

    assert Message.objects.trim(keep=3) == 4
    assert [message.text for message in Message.objects.all()] == ["message 6", "message 5", "message 4"]


def test_trimming_few_removes_none():
    make_messages(3)

    assert Message.objects.trim(keep=3) == 0
    assert Message.objects.trim(keep=4) == 0
    assert Message.objects.count() == 3


def test_the_task_bounds_the_number_of_messages(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGES", 10)
    monkeypatch.setattr(messages, "TRIM_EVERY", 5)

    for number in range(40):
        messages.create_message_task.apply(kwargs={"message": f"number {number}"}).get()

    assert 10 <= Message.objects.count() < 15
    assert Message.objects.first().text == "number 39"


def test_a_nul_character_is_replaced_because_postgresql_has_none():
    result = messages.create_message_task.apply(args=["before\x00after"]).get()

    assert result["message"] == "before\N{REPLACEMENT CHARACTER}after"


def test_the_admin_shows_messages_and_offers_no_way_to_write_them(admin_client):
    row = Message.objects.create(text="<b>Hello</b>", task_id="0f31c2d4")

    page = admin_client.get("/admin/tasksdemo/message/").content.decode()
    detail = admin_client.get(f"/admin/tasksdemo/message/{row.pk}/change/").content.decode()

    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "0f31c2d4" in detail
    assert 'name="text"' not in detail
    assert admin_client.get("/admin/tasksdemo/message/add/").status_code == 403
