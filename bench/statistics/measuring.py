"""Asks a filled database what pages ask: `python -m bench.statistics.measuring DAYS ROUNDS EXPLAIN` prints JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from monitoring.queries.statistics_range import Range  # noqa: E402
from monitoring.queries.statistics_rows import Selection  # noqa: E402
from monitoring.queries.statistics_series import series  # noqa: E402
from monitoring.queries.statistics_shapes import heat_map, histogram  # noqa: E402
from monitoring.queries.statistics_tasks import busiest, most_failing, slowest  # noqa: E402
from monitoring.queries.statistics_totals import totals  # noqa: E402
from monitoring.queries.visibility import Visibility  # noqa: E402

ALL, SHOP = Visibility.everything(), Visibility(names=("shop.app1.*", "shop.app2.*"))
HOURS = {"15 min": 0.25, "1 h": 1, "6 h": 6, "24 h": 24, "7 d": 7 * 24, "30 d": 30 * 24}
ONE = {
    "": Selection(),
    "a name": Selection(name="shop.app3.tasks.number_3"),
    "a queue": Selection(queue="queue-1"),
    "a worker": Selection(worker="celery@worker-3"),
}
Question = Callable[[], Any]


def ranges(days: int) -> dict[str, Range]:
    now = datetime.now(UTC)
    return {
        label: Range.between(now - timedelta(hours=hours), now)
        for label, hours in HOURS.items()
        if hours <= days * 24
    }


class Pages:
    """Asks for whole pages, as a superuser's browser does: what the server takes for them, templates included."""

    def __init__(self) -> None:
        self._client = Client(SERVER_NAME="localhost")
        user, _created = get_user_model().objects.get_or_create(
            username="bench", defaults={"is_staff": True, "is_superuser": True}
        )
        self._client.force_login(user)

    def get(self, view: str, /, *arguments: str, **query: str) -> None:
        response = self._client.get(reverse(view, args=arguments), query)
        assert response.status_code == 200, response.status_code


def questions(days: int) -> Iterator[tuple[str, Question]]:
    """Group and question."""
    pages = Pages()
    for label, period in ranges(days).items():
        coarse = Range.between(period.start, period.end, coarse=True)  # as the API asks for lines of groups
        chosen = {"range": label.replace(" min", "m").replace(" ", "")}
        name = ONE["a name"].name or ""
        yield f"dashboard, {label}", lambda c=chosen: pages.get("admin:app_list", "monitoring", **c)
        yield (
            "dashboard of a name",
            lambda c=chosen, n=name: pages.get("admin:app_list", "monitoring", name=n, **c),
        )
        yield (
            "dashboard: statistics of a task",
            lambda c=chosen, n=name: pages.get("admin:monitoring_statistic_changelist", name=n, **c),
        )
        for metric in ("finished", "failure_rate", "runtime_mean", "runtime_p95", "wait_p95"):
            for words, selection in ONE.items():
                of = f" of {words}" if words else ""
                yield f"series{of}", lambda p=period, m=metric, s=selection: series(ALL, p, m, s)
            for group in ("task", "queue", "worker"):
                yield f"series by {group}", lambda p=coarse, m=metric, g=group: series(ALL, p, m, None, g)
        yield "series by outcome", lambda p=period: series(ALL, p, "finished", None, "outcome")
        for metric, group in product(("finished", "runtime_p95"), (None, "task")):
            yield (
                "series of a limited user",
                lambda p=coarse if group else period, m=metric, g=group: series(SHOP, p, m, None, g),
            )
        yield "totals and percentiles", lambda p=period: totals(ALL, p)
        yield "busiest", lambda p=period: busiest(ALL, p)
        yield "most failing", lambda p=period: most_failing(ALL, p)
        yield "slowest", lambda p=period: slowest(ALL, p)
        yield "heat map", lambda p=period: heat_map(ALL, p)
        yield "histogram of a name", lambda p=period: histogram(ALL, p, "runtimes", ONE["a name"])


def main() -> None:
    days, rounds, explain = map(int, sys.argv[1:4])
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, ask in questions(days):
        groups.setdefault(group, []).append(_measured(ask, rounds))
    if explain:
        _explain(
            max((each for found in groups.values() for each in found), key=lambda each: each["slowest"][0])
        )
    print(json.dumps({group: _together(found) for group, found in groups.items()}))


def _measured(ask: Question, rounds: int) -> dict[str, Any]:
    ask()  # what the database has to read from disk is in memory afterwards
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - begun)
    with CaptureQueriesContext(connection) as captured:
        ask()
    slowest_statement = max((float(query["time"]), query["sql"]) for query in captured.captured_queries)
    return {"seconds": sorted(seconds), "queries": len(captured), "slowest": slowest_statement}


def _together(measured: list[dict[str, Any]]) -> dict[str, float]:
    every = sorted(second for each in measured for second in each["seconds"])
    return {
        "questions": len(measured),
        "p50": statistics.median(every),
        "p95": _p95(every),
        "worst": max(_p95(each["seconds"]) for each in measured),
        "queries": max(each["queries"] for each in measured),
    }


def _p95(seconds: list[float]) -> float:
    return seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]


def _explain(measured: dict[str, Any]) -> None:
    seconds, statement = measured["slowest"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    print(f"Slowest statement, {seconds:.3f} s:\n{statement}\n{plan}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
