"""Payments of orders."""

from typing import Any

from tasksdemo.shop import gateway


class PaymentFailed(Exception):
    """An order could not be paid, for a reason that is not the customer's."""


def charge(order_id: int, amount: str, *, simulate: str = "") -> dict[str, Any]:
    """Charge an order through the gateway: {"order_id": ..., "captured": amount}.

    Raises PaymentFailed when the gateway is broken; GatewayTimeout and CardDeclined pass through, because their
    callers decide between another attempt and none.
    """
    try:
        answer = gateway.capture(amount, simulate=simulate)
    except gateway.GatewayError as error:
        raise PaymentFailed(f"order {order_id}: {amount} EUR not captured") from error
    return {"order_id": order_id, **answer}
