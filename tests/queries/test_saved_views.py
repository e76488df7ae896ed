"""The shipped views find what their names say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.queries.saved_views import SHIPPED
from monitoring.queries.selection import Selection, mistake_words, selected_tasks
from monitoring.queries.visibility import Visibility
from tests.factories import make_task


@pytest.mark.parametrize("key", SHIPPED)
def test_a_shipped_view_finds_what_its_name_says(using: str, watched: str, key: str) -> None:
    now = timezone.now()
    long_ago = now - timedelta(days=3)
    fields: dict[str, dict[str, Any]] = {
        "failed-today": {"state": "FAILURE", "finished_at": now},
        "failed-before": {"state": "FAILURE", "finished_at": now - timedelta(days=2)},
        "long-running": {"state": "STARTED", "attempt_started_at": now - timedelta(minutes=11)},
        "running": {"state": "STARTED", "attempt_started_at": now - timedelta(minutes=9)},
        "retrying": {"state": "RETRY"},
        "lost": {"state": "LOST"},
        "waiting-longest": {"state": "PENDING"},
        "done": {"state": "SUCCESS", "finished_at": now},
    }
    for task_id, values in fields.items():
        make_task(task_id, using=using, first_seen=long_ago, **values)
    selection = Selection(timezone.now(), query=SHIPPED[key].query(now))
    everything = Visibility.everything()
    assert mistake_words(selection, everything, with_payload=False) == ""
    found = selected_tasks(selection, everything, with_payload=False)
    assert set(found.values_list("pk", flat=True)) == {key}


def test_today_begins_at_midnight_where_the_server_is(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    moment = datetime(2026, 11, 22, 20, tzinfo=UTC)
    assert "finished=%3E%3D2026-11-23" in SHIPPED["failed-today"].query(moment)
