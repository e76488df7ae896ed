"""How fresh statistics are."""

from __future__ import annotations

from datetime import datetime

from ..models import UpkeepJob


def counted_at() -> datetime | None:
    """When the job `statistics` last ended well; None: never, or it fails. Cost: the primary key."""
    job = UpkeepJob.objects.filter(pk="statistics", succeeded=True)
    return job.values_list("finished_at", flat=True).first()
