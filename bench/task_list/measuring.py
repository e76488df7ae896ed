"""Asks the task list in this process and prints the figures as JSON: ``python -m bench.task_list.measuring ROUNDS``."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import django
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.task_list.questions import Asking, askings


def main() -> None:
    django.setup()
    search_index = bool(os.environ.get("BENCH_SEARCH_INDEX"))
    settings.MONITORING = {**settings.MONITORING, "SEARCH_INDEX": search_index}
    # The response says which names it may be asked under; a test client's is none of a project's.
    settings.ALLOWED_HOSTS = ["*"]
    from monitoring.queries.sorting import COLUMNS

    client = _client()
    sorts = [f"{way}{key}" for key in COLUMNS for way in ("", "-")]
    rounds = int(sys.argv[1])
    groups: dict[str, list[dict[str, float]]] = {}
    for asking in askings(sorts, search_index=search_index):
        groups.setdefault(asking.group, []).append(_measured(_page_of(asking, client), rounds))
    for what in ("facets alone", "histogram alone"):
        for query in ("", "state=FAILURE", "name=shop.payments.tasks.capture", "first_seen=-1h"):
            groups.setdefault(what, []).append(_measured(_beside(what, query), rounds))
    json.dump({group: _together(each) for group, each in groups.items()}, sys.stdout)


def _page_of(asking: Asking, client: Any) -> Callable[[], Any]:
    """Asks for the page as a browser does: session, permissions, status strip, rows, facets, histogram, template."""
    from django.urls import reverse

    from monitoring.queries.keyset import Place
    from monitoring.queries.sorting import Sort
    from monitoring.queries.task_list import PAGE_SIZE

    sort = Sort.parse(dict(parse_qsl(asking.query)).get("sort"))
    query = asking.query
    if asking.pages:
        # Walked over in one step, by the database: only the page itself is measured.
        rows = _asked(asking.query).tasks().exclude(**{sort.column.column: None})
        order = [f"-{column}" if descending else column for column, descending in sort.keys]
        row = rows.order_by(*order)[asking.pages * PAGE_SIZE : asking.pages * PAGE_SIZE + 1].first()
        query = f"{query}&place={Place.of(row, sort)}" if row is not None else query
    _asked(asking.query)
    url = reverse("admin:monitoring_task_changelist") + f"?{query}"
    first = client.get(url)
    if first.status_code == 302:  # to the one form of the address that people share
        url = first["Location"]

    def ask() -> Any:
        response = client.get(url)
        if response.status_code != 200:
            sys.exit(f"bench: {url} answered {response.status_code}")
        return response

    return ask


def _beside(what: str, query: str) -> Callable[[], Any]:
    from monitoring.queries.facets import facets
    from monitoring.queries.histogram import histogram
    from monitoring.queries.reading import Reading

    def ask_facets() -> Any:
        with Reading() as reading:
            return facets(_asked(query), reading)

    counted = ask_facets()

    def ask_histogram() -> Any:
        with Reading() as reading:
            return histogram(_asked(query), counted, reading)

    return {"facets alone": ask_facets, "histogram alone": ask_histogram}[what]


def _client() -> Any:
    """Of a user who is no superuser, so that permissions are read as for most."""
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    user, _ = User.objects.get_or_create(username="bench-reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="monitoring"))
    client = Client()
    client.force_login(user)
    return client


def _asked(query: str) -> Any:
    from monitoring.queries.search.question import Question
    from monitoring.queries.task_list import Asked
    from monitoring.queries.visibility import Visibility

    asked = Asked(Visibility.everything(), Question.read(parse_qsl(query)), with_payload=True)
    if asked.mistakes:
        sys.exit(f"bench: {query}: {asked.mistakes[0].message}")
    return asked


def _measured(ask: Callable[[], Any], rounds: int) -> dict[str, Any]:
    ask()  # what the database has to read from disk is in memory afterwards
    seconds, computed = [], []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        ask()
        seconds.append(time.perf_counter() - begun)
        computed.append(time.process_time() - used)
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    context = getattr(answer, "context_data", None) or {}
    return {
        "seconds": seconds,
        "computed": computed,
        "queries": len(captured),
        "partial": context.get("looked_back_to") is not None,
    }


def _together(measured: list[dict[str, Any]]) -> dict[str, float]:
    """Of a group of questions: each counts as often as the others; `worst` is the slowest one's p95."""
    every = sorted(second for each in measured for second in each["seconds"])
    return {
        "questions": len(measured),
        "p50": statistics.median(every),
        "p95": _p95(every),
        "worst": max(_p95(sorted(each["seconds"])) for each in measured),
        "computed": statistics.median(second for each in measured for second in each["computed"]),
        "queries": max(each["queries"] for each in measured),
        "partial": sum(each["partial"] for each in measured),
    }


def _p95(seconds: list[float]) -> float:
    return seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]


if __name__ == "__main__":
    main()
