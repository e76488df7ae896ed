"""What readers ask: each question as the query string of a page, and what it has to be answered within. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from bench.task_list.filling import RARE_NAME, RARE_QUEUE, RARE_WORKER

#: A value that many tasks have and one that few have. The queue and the worker of a common name are its own.
FILTERS: dict[str, list[str]] = {
    "state": ["state=SUCCESS", "state=FAILURE", "state=LOST", "state=STARTED"],
    "name": ["name=shop.orders.tasks.place_order", "name=shop.payments.tasks.capture", f"name={RARE_NAME}"],
    "worker": ["worker=celery@worker-3.shop.internal", f"worker={RARE_WORKER}"],
    "queue": ["queue=default", f"queue={RARE_QUEUE}"],
    "time": ["first_seen=-1h", "first_seen=-10d..-9d", "received=-2h"],
}
#: Together these fit no task: shown apart, since nothing but the limit of time ends the search for them.
_CONTRADICTIONS = ({"place_order", RARE_QUEUE}, {"place_order", RARE_WORKER}, {"capture", RARE_QUEUE},
                   {"capture", RARE_WORKER}, {RARE_NAME, "queue=default"}, {RARE_NAME, "worker-3"},
                   {RARE_QUEUE, "worker-3"}, {RARE_WORKER, "queue=default"})  # fmt: skip
#: Names with the queue that they do not go to.
_ELSEWHERE = "name=shop.payments.tasks.capture&queue=mail"


@dataclass(frozen=True)
class Asking:
    """`group` is the line of the report that it counts to; `pages`: how many pages further on."""

    group: str
    query: str
    pages: int = 0


def askings(sorts: list[str], *, search_index: bool) -> list[Asking]:
    found = [Asking("first page", ""), Asking("page 1,000", "", pages=999)]
    found += [
        Asking(f"one filter: {field}", query) for field, queries in FILTERS.items() for query in queries
    ]
    for (one, ones), (other, others) in itertools.combinations(FILTERS.items(), 2):
        for first, second in itertools.product(ones, others):
            query = f"{first}&{second}"
            apart = any(all(word in query for word in pair) for pair in _CONTRADICTIONS)
            found.append(
                Asking(
                    "two filters that exclude each other" if apart else f"two filters: {one}, {other}", query
                )
            )
    found += [Asking(f"sort {sort}", f"sort={sort}") for sort in sorts]
    found += [Asking(f"sort {sort}, page 1,000", f"sort={sort}", pages=999) for sort in sorts]
    found.append(Asking("a name's other queue (limit of time)", _ELSEWHERE))
    found.append(Asking("beginning of an id", "q=9f31c2d4"))
    if search_index:
        found += [
            Asking("search in texts", query)
            for query in ("q=48213", "args=SO-1234", 'q="504 Gateway"', "kwargs=nothing-has-this", "q=shipping*77",
                          "result=deadbeef", "exception=duplicate&state=FAILURE")
        ]  # fmt: skip
    else:
        found.append(Asking("search in texts of two days (limit of time)", "args=48213&first_seen=-2d"))
    return found
