"""Mail to customers."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasksdemo.shop import mail
from tasksdemo.shop.pace import work

if TYPE_CHECKING:
    from celery import Task


@shared_task(
    bind=True,
    autoretry_for=(smtplib.SMTPServerDisconnected,),
    max_retries=2,
    retry_backoff=1,
    retry_jitter=False,
    ignore_result=True,
)
def send_email(
    self: Task[Any, Any], template: str, recipient: str, order_id: int | None = None, simulate: str = ""
) -> dict[str, Any]:
    """Send one mail.

    `simulate="disconnected"`: retried twice, then FAILURE with SMTPServerDisconnected; "hiccup": only once.
    """
    if simulate == "hiccup":
        simulate = "" if self.request.retries else "disconnected"
    return {"message_id": mail.deliver(recipient, template, simulate=simulate), "order_id": order_id}


@shared_task
def send_abandoned() -> dict[str, int]:
    """Scheduled: remind customers of their carts."""
    return {"reminders": int(work(3.0, longest=20.0) * 7)}
