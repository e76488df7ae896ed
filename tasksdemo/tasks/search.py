"""The search index."""

from celery import shared_task

from tasksdemo.shop.pace import work


@shared_task(ignore_result=True)
def reindex_product(product_id: int, simulate: str = "") -> dict[str, int]:
    """Index one product. `simulate="refused"`: ConnectionRefusedError."""
    work(0.06, longest=1.0)
    if simulate == "refused":
        raise ConnectionRefusedError("search-2.internal:9200 refused the connection")
    return {"product_id": product_id}


@shared_task
def rebuild_sitemap() -> dict[str, int]:
    """Scheduled: write the sitemap anew."""
    return {"pages": int(work(5.0, longest=20.0) * 700)}
