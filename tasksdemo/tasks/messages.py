"""A task with an effect in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasksdemo.models import Message

if TYPE_CHECKING:
    from celery import Task

MAX_MESSAGES = 1000
TRIM_EVERY = 50  # one DELETE in so many inserts


@shared_task(bind=True)
def create_message_task(self: Task[Any, Any], message: str) -> dict[str, Any]:
    """Store a message: {"message_id": ..., "message": ...}. Only about the newest MAX_MESSAGES are kept."""
    # PostgreSQL's text has no NUL character.
    row = Message.objects.create(
        text=message.replace("\x00", "\N{REPLACEMENT CHARACTER}"), task_id=self.request.id or ""
    )
    if row.pk % TRIM_EVERY == 0:
        Message.objects.trim(keep=MAX_MESSAGES)
    return {"message_id": row.pk, "message": row.text}
