"""The demo API with result backends other than the database."""

from contextlib import contextmanager

import pytest

from tests.project.serving import daphne
from tests.services.found import HOST, free_port
from tests.services.servers import Valkey
from tests.tasksdemo.shop import Shop, environment_of, worker


@pytest.fixture(scope="module")
def broker():
    with Valkey() as server:
        yield server


@contextmanager
def api(broker, folder, backend):
    environment = {"CELERY_BROKER_URL": broker.url, "CELERY_RESULT_BACKEND": backend}
    with daphne("project.asgi:application", folder, **environment) as site:
        yield Shop(site.port)


def test_redis_keeps_results_too(broker, tmp_path):
    with (
        api(broker, tmp_path, broker.url) as shop,
        worker(
            environment_of(tmp_path, broker.url, CELERY_RESULT_BACKEND=broker.url), tmp_path / "worker.log"
        ),
    ):
        started = shop.start("/tasks/chord", size=3)

        assert shop.outcome(started["task_id"], "SUCCESS")["result"] == 0 + 2 + 4


def test_a_redis_of_results_that_is_down_is_a_503(broker, tmp_path):
    with api(broker, tmp_path, f"redis://:open-sesame@{HOST}:{free_port()}/0") as shop:
        for status, answer in (
            shop.post("/tasks/slow"),
            shop.post("/tasks/chord"),
            shop.get("/tasks/some-id"),
        ):
            assert status == 503
            assert "refused" in answer["detail"]
            assert "open-sesame" not in answer["detail"]


@pytest.mark.parametrize("backend", ["rpc://", "disabled://"])
def test_a_chord_that_the_backend_cannot_do_is_told_so(broker, tmp_path, backend):
    with api(broker, tmp_path, backend) as shop:
        status, answer = shop.post("/tasks/chord")

        assert status == 501
        assert "chord" in answer["detail"]
        shop.start("/tasks/slow", duration=0)


def test_without_a_result_backend_no_outcome_is_known(broker, tmp_path):
    with api(broker, tmp_path, "disabled://") as shop:
        status, answer = shop.get("/tasks/some-id")

        assert status == 501
        assert "no result backend" in answer["detail"]
