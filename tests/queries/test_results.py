"""Full results: read as JSON from backends whose raw text can be had, and from no other."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import celery
import pytest
import redis
from django_celery_results.models import TaskResult

from monitoring.queries import results
from monitoring.queries.results import Stored, Why, stored_result
from tests.factories import make_task

# Celery's own backend calls it.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:Call to deprecated setex")]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that a busy machine lets wait is not unreachable."""
    monkeypatch.setattr(results, "TIMEOUT", 60.0)


class Explosive:
    """Tells when it is unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (explode, ())


def explode() -> None:
    Explosive.exploded = True


def app(backend: str, **conf: Any) -> celery.Celery:
    made = celery.Celery("watched", backend=backend, set_as_current=False)
    made.conf.update(conf)
    return made


def read(backend: str, task_id: str = "the-id", **conf: Any) -> Stored:
    return stored_result(app(backend, **conf), make_task(task_id))


def test_redis_holds_the_whole_result(redis_url: str) -> None:
    watched = app(redis_url)
    value = {"rows": ["x" * 5_000], "password": "hunter2"}
    watched.backend.store_result("the-id", value, "SUCCESS")
    stored = stored_result(watched, make_task("the-id"))
    assert stored.why is None
    assert json.loads(stored.json) == {"rows": ["x" * 5_000], "password": "[redacted]"}
    assert stored.backend == "RedisBackend"


@pytest.mark.parametrize("task_id", ["with/slash", "ünï 日本", "x" * 255])
def test_redis_finds_every_id(redis_url: str, task_id: str) -> None:
    watched = app(redis_url)
    watched.backend.store_result(task_id, 7, "SUCCESS")
    assert stored_result(watched, make_task(task_id)).json == "7"


def test_what_redis_holds_is_never_unpickled(redis_url: str) -> None:
    watched = app(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.set(watched.backend.get_key_for_task("pickled"), pickle.dumps(Explosive()))
    assert stored_result(watched, make_task("pickled")).why is Why.NOT_JSON
    assert not Explosive.exploded


def test_what_is_too_long_is_not_fetched(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_SIZE", 100)
    watched = app(redis_url)
    watched.backend.store_result("long", "x" * 200, "SUCCESS")
    assert stored_result(watched, make_task("long")).why is Why.TOO_LONG


def test_missing_and_unreachable_are_told_apart(redis_url: str, closed_port: int) -> None:
    assert read(redis_url, "never-stored").why is Why.MISSING
    stored = read(f"redis://127.0.0.1:{closed_port}/0", "another")
    assert (stored.why, stored.detail) == (Why.UNREACHABLE, "ConnectionError")


def test_a_serializer_other_than_json_is_refused(redis_url: str) -> None:
    stored = read(redis_url, result_serializer="pickle")
    assert (stored.why, stored.detail) == (Why.SERIALIZER, "pickle")


@pytest.mark.parametrize("backend", ["cache+memory://", "rpc://", "django-cache"])
def test_backends_that_decode_by_themselves_are_not_read(backend: str) -> None:
    assert read(backend).why is Why.KIND


def test_no_backend_is_said() -> None:
    assert read("disabled://").why is Why.DISABLED


def test_files_are_read_and_ids_do_not_leave_their_folder(tmp_path: Path) -> None:
    watched = app(f"file://{tmp_path}")
    watched.backend.store_result("the-id", [1, 2], "SUCCESS")
    (tmp_path.parent / "secret").write_text('{"result": 1}')
    assert json.loads(stored_result(watched, make_task("the-id")).json) == [1, 2]
    for task_id in ("../secret", "x/../../secret", "missing"):
        assert stored_result(watched, make_task(task_id)).why is Why.MISSING


def test_the_table_of_django_celery_results_is_read_as_json_only() -> None:
    for task_id, kind, encoding, result in (
        ("json", "application/json", "utf-8", '{"token": "abc", "n": 1}'),
        ("pickle", "application/x-python-serialize", "binary", "gASVCg=="),
        ("broken", "application/json", "utf-8", "{"),
        ("none", "application/json", "utf-8", None),
    ):
        TaskResult.objects.create(
            task_id=task_id, content_type=kind, content_encoding=encoding, result=result, status="SUCCESS"
        )
    watched = app("django-db")
    assert json.loads(stored_result(watched, make_task("json")).json) == {"token": "[redacted]", "n": 1}
    whys = {
        key: stored_result(watched, make_task(key)).why for key in ("pickle", "broken", "none", "missing")
    }
    assert whys == {
        "pickle": Why.SERIALIZER,
        "broken": Why.NOT_JSON,
        "none": Why.MISSING,
        "missing": Why.MISSING,
    }
