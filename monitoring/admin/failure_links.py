"""Addresses of the groups of failures of one task, for the pages of statistics."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.urls import reverse

from ..models import Failures
from ..queries.failures import PERIODS, end_of_counts
from .statistics_parts.view import StatisticsView
from .tabs import may_open


def failures_url(site: AdminSite, view: StatisticsView, name: str) -> str:
    """The groups of one task name, of the shortest period that reaches back to the beginning of the view.

    Empty where this site has no such page, or the user may not open it.
    """
    if not may_open(site, view.request, Failures):
        return ""
    end = end_of_counts(view.now)
    long_enough = (period for period, length in PERIODS.items() if end - length <= view.wanted.start)
    period = next(long_enough, list(PERIODS)[-1])
    base = reverse("admin:monitoring_failures_changelist", current_app=site.name)
    return f"{base}?{urlencode({'name': name, 'period': period})}"
