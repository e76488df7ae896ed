"""The page of a task among two million others on PostgreSQL: how long the server takes, p50 and p95.

    make bench TARGET=task_page ARGS="--tasks 2000000 --rounds 100"

Each request goes through the whole of Django (sessions, permissions, queries, templates) in this process, with the
database's cache warm, as it is for whoever has just come from the list. The limits are those of the project: 80 ms, and
200 ms for a workflow of 500. Beside the time stands what this process computed: on a machine that does other things too
the two are far apart, and only the second says something.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from typing import Any

from bench import servers

#: Limits for p95, in seconds.
LIMIT = 0.080
LIMIT_OF_WORKFLOW = 0.200


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--postgres", default=servers.POSTGRES_URL)
    parser.add_argument(
        "--database", help="URL of a filled database, to which some tasks are added; it is kept"
    )
    options = parser.parse_args()
    if options.database:
        servers.require_loopback(options.database)
        return measure(options.database, options.rounds)
    from bench.task_list.filling import fill

    with servers.databases(options.postgres) as databases:
        url = databases.make()
        print(f"{options.tasks:,} tasks filled in {fill(url, options.tasks):.0f} s", flush=True)
        return measure(url, options.rounds)


def measure(database_url: str, rounds: int) -> int:
    os.environ.update(servers.project_environment(database_url, servers.RABBITMQ_URL))
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.utils import override_settings

    from monitoring.models import Task
    from tests import task_examples

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    task_examples.failed_in_a_family()
    task_examples.monstrous()
    ordinary = list(Task.objects.order_by("first_seen").values_list("pk", flat=True)[: rounds // 2])
    ordinary += list(Task.objects.order_by("-first_seen").values_list("pk", flat=True)[: rounds // 2])
    slow = 0
    with override_settings(ALLOWED_HOSTS=["*"]):
        client = Client()
        client.force_login(user)
        for words, ids, limit, query in (
            ("oldest and newest tasks", ordinary, LIMIT, {}),
            ("the same, opened from a filtered list", ordinary, LIMIT, {"in": "state=FAILURE&sort=-runtime"}),
            ("failed after 3 attempts, family of 6", [task_examples.FAILED] * rounds, LIMIT, {}),
            ("40 attempts, 64 kB traceback, workflow of 500", ["monster"] * rounds, LIMIT_OF_WORKFLOW, {}),
            ("the same, all 500 shown", ["monster"] * (rounds // 2), LIMIT_OF_WORKFLOW, {"all": "family"}),
        ):
            slow += _report(words, [_seconds(client, task_id, query) for task_id in ids], limit)
    return slow


def _seconds(client: Any, task_id: str, query: dict[str, str]) -> tuple[float, float]:
    """Of one request: time that passed, and time that this process computed."""
    from django.contrib.admin.utils import quote
    from django.urls import reverse

    begun, computed = time.perf_counter(), time.process_time()
    response = client.get(reverse("admin:monitoring_task_change", args=[quote(task_id)]), query)
    taken = time.perf_counter() - begun, time.process_time() - computed
    if response.status_code != 200:
        sys.exit(f"bench: {task_id} answered {response.status_code}")
    return taken


def _report(words: str, seconds: list[tuple[float, float]], limit: float) -> int:
    """Prints a line; 1 where the limit is passed. The first two requests warm up caches and are left out."""
    kept, computed = zip(*seconds[2:], strict=True)
    p95 = statistics.quantiles(kept, n=20)[-1]
    print(
        f"{words:<48} p50 {statistics.median(kept) * 1000:6.1f} ms   p95 {p95 * 1000:6.1f} ms   "
        f"limit {limit * 1000:.0f} ms   {p95 / limit:4.2f} of it   "
        f"computed {statistics.median(computed) * 1000:5.1f} ms",
        flush=True,
    )
    return int(p95 > limit)


if __name__ == "__main__":
    sys.exit(main())
