"""The last step of an order, and the top of the demo's deepest traceback."""

from typing import Any

from tasksdemo.shop import payments


class CheckoutError(Exception):
    """An order could not be completed."""


def complete(order_id: int, lines: list[dict[str, Any]], *, simulate: str = "") -> dict[str, Any]:
    """Price the lines ({"sku", "quantity", "price"}) and charge their sum. Raises CheckoutError."""
    return _settle(order_id, _total(lines), simulate=simulate)


def _total(lines: list[dict[str, Any]]) -> str:
    return f"{sum(line['quantity'] * line['price'] for line in lines):.2f}"


def _settle(order_id: int, amount: str, *, simulate: str) -> dict[str, Any]:
    try:
        return payments.charge(order_id, amount, simulate=simulate)
    except payments.PaymentFailed as error:
        raise CheckoutError(f"checkout of order {order_id} stopped before shipping") from error
