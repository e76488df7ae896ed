"""Runs the fold of counts again and again, killed at its first statement, its second, ... until one run comes through.

After each it prints what the database says in all: "killed|ended <sum of deltas> <sum of totals> <sum of run times>
<sum of buckets> <number of deltas>".
"""

import os
import signal
from functools import partial

import django
from django.db import connection


def in_a_child(what):
    """Run `what` in a process of its own; whether it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            what()
            code = 0
        finally:
            connection.close()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return not os.WIFSIGNALED(status)


def fold(statements):
    """Fold, and die by SIGKILL in the place of the statement of this number."""
    from monitoring.upkeep.jobs import counts
    from monitoring.upkeep.lease import UPKEEP, LeaseHolder

    counts.CHUNK = 3  # several transactions, to die in and between
    lease = LeaseHolder("default", UPKEEP, "crasher", duration=3600)
    assert lease.try_acquire()
    left = statements

    def die(execute, sql, params, many, context):
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die):
        counts.run(lease)


def tell(how):
    from monitoring.models import EventDelta, EventTotal

    deltas, totals = list(EventDelta.objects.all()), list(EventTotal.objects.all())
    rows = [*deltas, *totals]
    print(
        how,
        sum(row.count for row in rows),
        sum(row.runtime_sum for row in rows),
        sum(sum(row.runtime_buckets or ()) for row in rows),
        len(deltas),
        flush=True,
    )


if __name__ == "__main__":
    django.setup()
    number, ended = 0, False
    while not ended:
        ended = in_a_child(partial(fold, number))
        in_a_child(partial(tell, "ended" if ended else "killed"))
        number += 1
