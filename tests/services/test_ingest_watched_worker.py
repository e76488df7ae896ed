"""A worker runs no slower for being watched: nothing of the app runs in its process."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.services.consuming import ROOT

#: What consumes and keeps up. The models come with an installed app, and the pages with Django's admin.
NEVER = (
    "monitoring.ingest.consumer",
    "monitoring.ingest.decoding",
    "monitoring.ingest.sources",
    "monitoring.ingest.stores",
    "monitoring.ingest.wiring",
    "monitoring.ingest.writer",
    "monitoring.management",
    "monitoring.upkeep",
)


def witness(settings: str) -> dict[str, Any]:
    """What is in the process of a real worker of the bundled project."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings,
        "DJANGO_SECRET_KEY": "only-for-tests",
        "DATABASE_URL": "sqlite:////nowhere/db.sqlite3",
    }
    run = subprocess.run(
        [sys.executable, "-m", "tests.services.worker_witness"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = [line for line in run.stdout.splitlines() if line.startswith("{")]
    assert said, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(said[-1])
    return found


@pytest.fixture(scope="module")
def watched() -> dict[str, Any]:
    return witness("project.settings")


@pytest.fixture(scope="module")
def unwatched() -> dict[str, Any]:
    return witness("tests.services.settings_unwatched")


def test_a_watched_worker_imports_nothing_that_consumes_or_keeps_up(watched):
    assert "monitoring.models.task" in watched["modules"], "the app was not installed"
    assert not [name for name in watched["modules"] if name.startswith(NEVER)]


def test_an_unwatched_worker_knows_nothing_of_the_monitor(unwatched):
    """Or the comparison below compares a thing with itself."""
    assert "monitoring.models" not in unwatched["modules"]


@pytest.mark.parametrize("kind", ["threads", "boot steps"])
def test_a_watched_worker_has_no_more_of_it_than_one_that_is_not(watched, unwatched, kind):
    assert watched[kind] == unwatched[kind]


def test_only_what_the_project_asks_for_is_connected_to_signals_in_a_watched_worker(watched):
    assert any("task_postrun: celery.fixups.django" in receiver for receiver in watched["receivers"])
    ours = [receiver for receiver in watched["receivers"] if ": monitoring." in receiver]
    assert ours
    asked_for = (": monitoring.celery.plugin.", ": monitoring.celery.log.RedactedLog.")
    assert [receiver for receiver in ours if not any(name in receiver for name in asked_for)] == []


def test_a_watched_worker_has_no_connection_to_the_database(watched):
    """The database of this one does not even exist."""
    assert watched["connections"] == []
