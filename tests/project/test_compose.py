"""docker-compose.yml: its commands run as written, against servers that stand here already."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from tests.project import compose
from tests.project.processes import Running, running
from tests.project.serving import Site
from tests.services.found import free_port


@pytest.fixture(scope="module")
def environment(postgres_url, rabbitmq_url, redis_url):
    """What .env says, with the servers of this machine."""
    return {
        **compose.example_environment(),
        "DJANGO_SECRET_KEY": "only-for-this-test",
        "DATABASE_URL": postgres_url,
        "CELERY_BROKER_URL": rabbitmq_url,
        "CHANNEL_LAYER_URL": redis_url,
    }


def in_container(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a container: the image's PATH, and .env."""
    programs = Path(sys.executable).parent
    return {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), **environment}


def service(name: str, environment: dict[str, str], log: Path) -> AbstractContextManager[Running]:
    """The service's command as it stands in docker-compose.yml, started in the checkout."""
    command = compose.application_services(environment)[name]["command"]
    return running(command, compose.CHECKOUT, in_container(environment), log)


@pytest.fixture(scope="module")
def migrated(environment):
    """The environment, after the service `migrate` has run to its end."""
    command = compose.application_services(environment)["migrate"]["command"]
    subprocess.run(
        command, cwd=compose.CHECKOUT, env=in_container(environment), check=True, capture_output=True
    )
    return environment


def test_web_passes_its_health_check_and_serves_the_admin(migrated, tmp_path):
    port = free_port()
    environment = {**migrated, "WEB_PORT": str(port)}
    check = compose.services(environment)["web"]["healthcheck"]["test"]
    assert check[0] == "CMD"
    with service("web", environment, tmp_path / "web.log") as web:
        web.until(
            lambda: (
                subprocess.run(check[1:], env=in_container(environment), capture_output=True).returncode == 0
            )
        )

        site = Site(port)
        assert site.get("/admin/login/").status == 200
        assert site.get("/tasks/").status == 200


def test_worker_answers_a_ping_and_consumer_stores_what_it_runs(migrated, tmp_path):
    with (
        service("consumer", migrated, tmp_path / "consumer.log") as consumer,
        service("worker", migrated, tmp_path / "worker.log") as worker,
        Celery(broker=migrated["CELERY_BROKER_URL"], set_as_current=False) as client,
    ):
        worker.until(lambda: client.control.ping(timeout=1))
        consumer.until(lambda: is_consumed(migrated["DATABASE_URL"]))
        client.send_task("celery.accumulate", (1, 2), task_id="seen-by-compose")
        consumer.until(lambda: state_of("seen-by-compose", migrated["DATABASE_URL"]) == "SUCCESS")


def is_consumed(database: str) -> bool:
    """Whether a consumer listens: what happens before is told to nobody."""
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT 1 FROM monitoring_consumer WHERE connected").fetchone() is not None


def state_of(task_id: str, database: str) -> str | None:
    """What the consumer has stored about the task, None so far."""
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT state FROM monitoring_task WHERE task_id = %s", [task_id]).fetchone()
        return row[0] if row else None


def test_beat_stays_up_and_reads_its_schedule_from_the_database(migrated, tmp_path):
    with service("beat", migrated, tmp_path / "beat.log") as beat:
        # Celery's own schedule, which the database scheduler enters when it starts.
        beat.until(lambda: scheduled("celery.backend_cleanup", migrated["DATABASE_URL"]))
        beat.until(lambda: is_at_rest(migrated["DATABASE_URL"]))


def scheduled(name: str, database: str) -> bool:
    """Whether a schedule of that name is in the database."""
    query = "SELECT 1 FROM django_celery_beat_periodictask WHERE name = %s"
    with psycopg.connect(database) as connection:
        return connection.execute(query, [name]).fetchone() is not None


def is_at_rest(database: str) -> bool:
    """Whether beat sleeps: nobody has asked the database for a second. On SIGTERM Celery writes the schedule at once,
    and waits for ever where that has interrupted a statement of its own."""
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND state = 'idle' AND state_change < clock_timestamp() - interval '1 second'"
    )
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchone() is not None


def test_every_part_runs_from_one_image_and_one_environment():
    application = compose.application_services({})

    assert set(application) == {"migrate", "web", "worker", "consumer", "beat"}
    assert {service["image"] for service in application.values()} == {"django-celery-monitoring"}
    assert {service["env_file"] for service in application.values()} == {".env"}


def test_what_compose_asks_for_is_in_the_example():
    assert compose.variables() <= set(compose.example_environment())


def test_the_example_points_at_the_services_by_name():
    example = compose.example_environment()
    servers = set(compose.services({})) - set(compose.application_services({}))

    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "CHANNEL_LAYER_URL"):
        host = example[name].rpartition("@")[2].removeprefix("redis://").partition(":")[0]
        assert host in servers, name
