"""Payments beside those of single orders."""

from celery import shared_task

from tasksdemo.shop.pace import work


@shared_task
def sync_payouts() -> dict[str, int]:
    """Scheduled: compare the bank's payouts with the books."""
    return {"payouts": int(work(6.0, longest=20.0) * 3)}
