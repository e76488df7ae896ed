"""A process that contends for a lease on command: a line in, a line out. `python -m tests.upkeep.contender ID`.

acquire, renew, release; write: commit a mark of its own under the lease; enter: begin to, and then wait for a line.
"""

import sys

import django
from django.db import Error, connections


def main(holder_id: str) -> None:
    from django.utils import timezone

    from monitoring.models import Gap
    from monitoring.upkeep.lease import UPKEEP, LeaseHolder, LeaseLost

    lease = LeaseHolder("default", UPKEEP, holder_id, duration=3600)

    def write(wait: bool) -> str:
        try:
            with lease.transaction():
                now = timezone.now()
                Gap.objects.create(started_at=now, ended_at=now, reason=holder_id)
                if wait:
                    print("inside")
                    sys.stdin.readline()
        except LeaseLost:
            return "lost"
        except Error as error:
            connections.close_all()
            return f"broken: {type(error).__name__}"
        return "written"

    commands = {
        "acquire": lambda: str(lease.try_acquire()),
        "renew": lambda: str(lease.renew()),
        "release": lambda: str(lease.release()),
        "held": lambda: str(lease.is_held),
        "write": lambda: write(wait=False),
        "enter": lambda: write(wait=True),
    }
    print("ready")
    for line in sys.stdin:
        print(commands[line.strip()]())


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1])
