"""Values of what workers answer."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitoring.queries.worker_parts.typed import moment

NEVER = datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [NEVER.isoformat(), "9999-12-31T23:59:59", "0001-01-01T00:00:00", 253_402_300_799.0, -62_135_596_800],
)
def test_a_time_at_an_edge_of_time_is_one_in_every_time_zone(said: object) -> None:
    found = moment(said)

    assert found is not None
    for zone in ("Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"):
        assert found.astimezone(ZoneInfo(zone))
