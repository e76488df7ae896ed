"""Orders: a parent task that starts others, and a payment that is tried three times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import chain, group, shared_task
from django.db import OperationalError

from tasksdemo.shop import gateway, payments
from tasksdemo.shop.pace import work
from tasksdemo.tasks.mailing import send_email

if TYPE_CHECKING:
    from celery import Task


@shared_task
def place_order(order_id: int, amount: str, customer: dict[str, Any], simulate: str = "") -> dict[str, Any]:
    """Reserve stock, then charge, then ship; the confirmation goes out meanwhile. `simulate` is for the payment."""
    work(0.1, longest=2.0)
    shipping = group(
        send_email.si("order_paid", customer["email"], order_id=order_id),
        create_label.si(order_id, customer.get("address", {})),
    )
    chain(
        reserve_stock.si(order_id),
        capture_payment.si(order_id=order_id, amount=amount, currency="EUR", simulate=simulate),
        shipping,
    ).apply_async()
    send_email.delay("order_received", customer["email"], order_id=order_id)
    return {"order_id": order_id, "status": "placed"}


@shared_task
def reserve_stock(order_id: int) -> dict[str, Any]:
    """Set the order's goods aside."""
    work(0.08, longest=2.0)
    return {"order_id": order_id, "reserved": True}


@shared_task(bind=True, max_retries=2)
def capture_payment(
    self: Task[Any, Any], order_id: int, amount: str, currency: str, simulate: str = ""
) -> dict[str, Any]:
    """Charge the order; three attempts, 1 and 2 s apart, while the gateway does not answer in time.

    `simulate`: as in shop/gateway.py, or "hiccup", a "timeout" at the first attempt only.

    Raises GatewayTimeout after the third, CardDeclined and PaymentFailed at once.
    """
    if simulate == "hiccup":
        simulate = "" if self.request.retries else "timeout"
    try:
        return {"currency": currency, **payments.charge(order_id, amount, simulate=simulate)}
    except gateway.GatewayTimeout as error:
        raise self.retry(exc=error, countdown=2**self.request.retries) from error


@shared_task
def create_label(order_id: int, address: dict[str, str], carrier: str = "DHL") -> dict[str, Any]:
    """Print the parcel's label. Raises KeyError for an address without a postal code, as real labels do."""
    work(0.15, longest=2.0)
    return {"order_id": order_id, "label": f"{carrier}-{address['postal_code']}-{order_id}"}


@shared_task(bind=True, max_retries=3)
def sync_order(self: Task[Any, Any], order_id: int, simulate: str = "") -> dict[str, Any]:
    """Copy an order to the accounts. `simulate`: "deadlock" (once, then it works) or "locked" (for good)."""
    work(0.2, longest=3.0)
    if simulate == "locked":
        raise OperationalError("canceling statement due to lock timeout")
    if simulate == "deadlock" and self.request.retries == 0:
        raise self.retry(exc=OperationalError("deadlock detected"), countdown=1)
    return {"order_id": order_id, "synced": True}


@shared_task
def release_unpaid() -> dict[str, int]:
    """Scheduled: give back the stock of orders nobody paid."""
    return {"released": int(work(0.4, longest=5.0) * 10)}


@shared_task
def clean_carts() -> dict[str, int]:
    """Scheduled: delete carts nobody came back to."""
    return {"deleted": int(work(2.0, longest=10.0) * 100)}
