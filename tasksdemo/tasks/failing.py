"""A task that fails deep down: its traceback has frames of four modules of ours, of a library and of the standard
library, and three exceptions chained in both of Python's ways."""

from typing import Any

from celery import shared_task

from tasksdemo.shop import checkout


@shared_task
def fail_task(order_id: int = 48213) -> dict[str, Any]:
    """Complete an order while the gateway answers with a web page. Raises CheckoutError, always."""
    lines = [
        {"sku": "MUG-RED", "quantity": 2, "price": 12.5},
        {"sku": "TEA-500", "quantity": 1, "price": 7.9},
    ]
    return checkout.complete(order_id, lines, simulate="broken")
