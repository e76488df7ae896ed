"""Tasks that try again: one succeeds in the end, one gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from celery import Task


class SupplierUnavailable(Exception):
    """The supplier's server is not there now; it may be later."""


MAX_RETRIES = 5


@shared_task(bind=True, max_retries=MAX_RETRIES)
def retry_task(self: Task[Any, Any], succeed_after: int = 2) -> dict[str, Any]:
    """Fail `succeed_after` times (0 to MAX_RETRIES), with waits of 0.5, 1, 2, ... s between, then succeed."""
    attempt = self.request.retries
    if attempt < succeed_after:
        error = SupplierUnavailable(f"attempt {attempt + 1}: supplier-2.example is restarting")
        raise self.retry(exc=error, countdown=0.5 * 2**attempt)
    return {"message": f"Task completed after {attempt} retries", "retries": attempt}


# Celery's own back-off: 1, 2 s. The traceback then goes through celery/app/autoretry.py.
@shared_task(
    autoretry_for=(SupplierUnavailable,),
    max_retries=2,
    retry_backoff=1,
    retry_backoff_max=10,
    retry_jitter=False,
)
def give_up_task(supplier: str = "supplier-2.example") -> None:
    """Fail three times, then for good: FAILURE with SupplierUnavailable."""
    raise SupplierUnavailable(f"{supplier} refused the connection")
