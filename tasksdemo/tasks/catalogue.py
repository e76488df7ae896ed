"""The catalogue: very many, very short tasks."""

from celery import shared_task

from tasksdemo.shop.pace import work


@shared_task(ignore_result=True)
def update_price(product_id: int, price: str) -> dict[str, object]:
    """Write one price into the cache; a few milliseconds, and what heavy traffic is made of."""
    work(0.004, longest=0.05)
    return {"product_id": product_id, "price": price}


@shared_task
def warm_prices() -> dict[str, int]:
    """Scheduled: load the prices of the front page before someone asks for them."""
    return {"prices": int(work(0.1, longest=1.0) * 1000)}


@shared_task
def import_stock(supplier: str = "north") -> dict[str, object]:
    """Scheduled: read a supplier's stock list."""
    return {"supplier": supplier, "lines": int(work(4.0, longest=20.0) * 500)}
