"""Reports, on the queue `reports`: few, long, with progress and a time limit."""

import time

from celery import shared_task

from monitoring import progress
from tasksdemo.shop.pace import work

SOFT_TIME_LIMIT = 20  # s


@shared_task(soft_time_limit=SOFT_TIME_LIMIT, time_limit=2 * SOFT_TIME_LIMIT)
def export_sales(period: str = "2026-10", format: str = "xlsx", simulate: str = "") -> dict[str, object]:  # noqa: A002
    """Export a month of sales, day by day. `simulate="stuck"`: SoftTimeLimitExceeded after SOFT_TIME_LIMIT."""
    days = 30
    for day in range(1, days + 1):
        work(0.2, longest=1.0)
        progress.report(day, days, f"{period}-{day:02d}")
        if simulate == "stuck" and day == days // 2:
            time.sleep(4 * SOFT_TIME_LIMIT)
    return {"path": f"exports/sales-{period}.{format}", "rows": days * 411}
