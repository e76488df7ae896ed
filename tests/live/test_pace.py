"""How often a page may speak."""

from monitoring.live.pace import Pace


def test_a_burst_is_allowed_and_then_so_many_a_second():
    now = [0.0]
    pace = Pace(rate=2, burst=3, clock=lambda: now[0])
    assert [pace.allows() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [pace.allows() for _ in range(2)] == [True, False]
    now[0] = 1_000
    assert [pace.allows() for _ in range(4)] == [True, True, True, False]
