"""Count anew the minutes that consumers have marked, and add up hours and days. Exact whenever it is killed.

Cost: proportional to the tasks that ended in those minutes, read by the index on `finished_at`; the minute under way
is counted at each run that finds it marked, so the interval of the job is how often. In addition, per transaction, the
rows of the steps above: some thousand for a few hundred task names.
"""

from __future__ import annotations

import time

from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.deletions import freeze_old
from monitoring.upkeep.statistics.groups import note_failures
from monitoring.upkeep.statistics.marks import newest_mark, resolve_tasks, take_minutes
from monitoring.upkeep.statistics.storing import frozen_minutes, store_buckets

#: Minutes of one transaction.
MINUTES = 10
#: Seconds after which a run leaves the rest to the next.
LONGEST = 5.0


def run(lease: LeaseHolder) -> str:
    """Take the marks that there are, newest minutes first. A minute and its mark change in one transaction."""
    until = time.monotonic() + LONGEST
    newest = newest_mark(lease.using)
    resolved, counted, left = 1, 0, True
    while resolved and time.monotonic() < until:
        with lease.transaction():
            resolved = resolve_tasks(lease.using, newest)
    # What the marks of tasks have become is newer than them.
    newest = newest_mark(lease.using)
    while left and time.monotonic() < until:
        with lease.transaction():
            minutes = take_minutes(lease.using, newest, MINUTES)
            open_minutes = set(minutes) - frozen_minutes(lease.using, minutes)
            if open_minutes:
                buckets = count_minutes(lease.using, open_minutes)
                store_buckets(lease.using, buckets)
                note_failures(lease.using, buckets)
        counted += len(open_minutes)
        left = bool(minutes)
    if left or resolved:
        return f"Minutes counted: {counted}; more are left to the next run."
    with lease.transaction():
        frozen = freeze_old(lease.using, read_clock(lease.using))
    return f"Minutes counted: {counted}; deleted tasks that count for good: {frozen}."
