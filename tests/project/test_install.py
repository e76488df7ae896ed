"""The five lines of the README: the wheel alone, in a fresh environment, in somebody else's project."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from tests.project.compose import CHECKOUT
from tests.project.processes import running
from tests.project.visitor import Visitor
from tests.services.found import HOST, free_port

CELERY = """
import os
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(name="shop.add")
def add(x, y):
    return x + y
"""

SETTINGS = """
INSTALLED_APPS += ["monitoring"]
MONITORING = {{"CELERY_APP": "shop.celery.app"}}
CELERY_BROKER_URL = {broker!r}
CELERY_TASK_SEND_SENT_EVENT = True
"""


@pytest.fixture
def wheel(tmp_path):
    """The wheel, built from a copy, so that nothing is written into the checkout."""
    source = tmp_path / "source"
    shutil.copytree(
        CHECKOUT / "monitoring", source / "monitoring", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    run([sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(source)], tmp_path)
    (built,) = tmp_path.glob("*.whl")
    return built


@pytest.fixture
def shop(tmp_path, wheel, rabbitmq_url):
    """An empty Django project with its own Celery app, in an environment that has the wheel and what it asks for."""
    run([sys.executable, "-m", "venv", "venv"], tmp_path)
    run(["venv/bin/pip", "install", "--quiet", str(wheel)], tmp_path)
    run(["venv/bin/django-admin", "startproject", "shop"], tmp_path)
    project = tmp_path / "shop"
    (project / "shop" / "celery.py").write_text(CELERY)
    (project / "shop" / "__init__.py").write_text("from shop.celery import app\n")
    with (project / "shop" / "settings.py").open("a") as settings:
        settings.write(SETTINGS.format(broker=rabbitmq_url))
    python = str(tmp_path / "venv/bin/python")
    run([python, "manage.py", "check", "--fail-level", "WARNING"], project)
    run([python, "manage.py", "migrate", "--verbosity", "0"], project)
    superuser = {"DJANGO_SUPERUSER_USERNAME": "boss", "DJANGO_SUPERUSER_PASSWORD": "boss"}
    run([python, "manage.py", "createsuperuser", "--noinput", "--email", ""], project, **superuser)
    return project


def run(command: list[str], cwd: Path, **environment: str) -> str:
    """What the command prints; fails with its errors."""
    done = subprocess.run(command, cwd=cwd, env=clean(environment), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def clean(environment: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what makes it our project's."""
    ours = ("DJANGO_", "CELERY_", "DATABASE_URL", "CHANNEL_", "PYTHONPATH", "URL_PREFIX", "MONITORING_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | (
        environment or {}
    )


def is_consumed(database: Path) -> bool:
    """Whether a consumer listens: what happens before is told to nobody."""
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        return connection.execute("SELECT 1 FROM monitoring_consumer WHERE connected").fetchone() is not None


# The index of packages may be slow.
@pytest.mark.timeout(3_600)
def test_five_lines_show_a_task_in_the_admin_of_an_existing_project(shop, tmp_path):
    python = str(tmp_path / "venv/bin/python")
    port = free_port()
    task_id = str(uuid.uuid4())
    visitor = Visitor(f"http://{HOST}:{port}")

    def page(path: str) -> str:
        try:
            return visitor.read(path)
        except OSError:
            return ""

    consumer = [python, "manage.py", "run_event_consumer"]
    worker = [python, "-m", "celery", "-A", "shop", "worker", "-E", "-c", "1"]
    web = [python, "manage.py", "runserver", "--noreload", f"{HOST}:{port}"]
    with (
        running(consumer, shop, clean(), tmp_path / "consumer.log") as consuming,
        running(worker, shop, clean(), tmp_path / "worker.log"),
        # Django's own server has no end of its own.
        running(web, shop, clean(), tmp_path / "web.log", ends_with=-signal.SIGTERM) as serving,
    ):
        serving.until(lambda: page("/admin/login/"))
        assert visitor.sign_in("boss", "boss")
        consuming.until(lambda: is_consumed(shop / "db.sqlite3"))
        run(
            [python, "-c", f"from shop.celery import add; add.apply_async((20, 22), task_id={task_id!r})"],
            shop,
        )

        serving.until(lambda: "SUCCESS" in page(f"/admin/monitoring/task/{task_id}/change/"))

        serving.until(lambda: "shop.add" in page("/admin/monitoring/task/"))
