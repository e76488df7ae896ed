"""A task that a real worker has run is run again with equal arguments, told by the plug-in, stored by the consumer."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitoring.control.actor import Actor
from monitoring.control.contract import Outcome
from monitoring.control.perform import perform
from monitoring.models import Task
from tests.factories import make_task, make_user
from tests.services import watched_plugin
from tests.services.consuming import Site, SQLite, eventually
from tests.services.test_plugin import APP, LARGE, NESTED, TYPED, lines, send, start

pytestmark = [pytest.mark.timeout(600), pytest.mark.django_db]

CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1, "two", 3.5, [[[[]]]]), {"n": NESTED}),
    ((LARGE,), {"é": "ü"}),
    (tuple(TYPED), {"when": TYPED[1]}),
]
COLUMNS = "name, state, queue, arguments, arguments_are, full_ts, full_tie, received_ts, received_tie"


@pytest.fixture(params=["rabbitmq_url", "redis_url"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_database: SQLite, settings: Any
) -> Iterator[Site]:
    queue = "celeryev.monitoring" if request.param == "redis_url" else f"celeryev.test-{secrets.token_hex(3)}"
    site = Site(tmp_path, sqlite_database, request.getfixturevalue(request.param), queue)
    site.set(CELERY_APP=f"{APP}.app")
    site.environment["WATCHED_EVENTS"] = "monitoring.celery:DurableEvents"
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": f"{APP}.app", "CONTROL_TIMEOUT": 20.0}
    watched_plugin.app.conf.update(broker_url=site.broker_url)
    try:
        yield site
    finally:
        site.stop()
        watched_plugin.app.conf.update(broker_url="memory://")


def test_what_ran_once_runs_again_with_equal_arguments(site: Site, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.touch()
    site.environment["RUNS"] = str(runs)
    site.drain()
    start(site, "-c", "1")
    ids = [send(site, "take", *args, **kwargs) for args, kwargs in CALLS]
    consumer = site.consumer("--no-upkeep")
    consumer.until(lambda: site.database.states() == dict.fromkeys(ids, "SUCCESS"))
    assert consumer.terminate() == 0
    for task_id, *values in site.database.rows(f"SELECT task_id, {COLUMNS} FROM monitoring_task"):
        make_task(task_id, **dict(zip(COLUMNS.split(", "), values, strict=True)))
    assert set(Task.objects.values_list("pk", "arguments_are")) == {(task_id, "exact") for task_id in ids}

    actor = Actor(make_user("operator", "view_task", "rerun_task"))
    results = perform("rerun", ids, actor, patience=0).results

    assert {result.outcome for result in results.values()} == {Outcome.DONE}
    eventually(lambda: len(lines(runs)) == 2 * len(ids))
    given = {line["id"]: line["given"] for line in lines(runs)}
    for task_id, result in results.items():
        assert given[result.made] == given[task_id]
