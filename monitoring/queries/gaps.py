"""Stretches of time in which events may have passed unrecorded."""

from __future__ import annotations

from ..models import Gap
from .paging import Cursor, Page, page
from .visibility import Visibility


def gaps(visibility: Visibility, cursor: Cursor | None) -> Page[Gap]:
    """A page of gaps; none for a limited user. Cost: sorts the table, which has a row per outage."""
    return page(Gap.objects.all() if visibility.is_everything else Gap.objects.none(), "started_at", cursor)
