"""The environment decides, and a deployment that forgot something is told what."""

import os
import subprocess
import sys

import pytest

from tests.project.serving import CHECKOUT

ASK = "from django.conf import settings; print(repr({}))"


def setting(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a setting is in a process with nothing but this environment."""
    base = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}
    }
    return subprocess.run(
        [sys.executable, "-c", ASK.format(f"settings.{expression}")],
        cwd=CHECKOUT,
        env={**base, "DJANGO_SETTINGS_MODULE": "project.settings", **environment},
        capture_output=True,
        text=True,
    )


def test_without_a_secret_key_nothing_starts_and_the_message_says_what_to_set():
    run = setting("SECRET_KEY")

    assert run.returncode != 0
    assert "DJANGO_SECRET_KEY is not set" in run.stderr


def test_a_development_machine_needs_no_secret_key():
    assert setting("SECRET_KEY", DJANGO_DEBUG="true").returncode == 0


@pytest.mark.parametrize(
    ("expression", "environment", "expected"),
    [
        ("DATABASES['default']['ENGINE']", {}, "django.db.backends.sqlite3"),
        ("DATABASES['default']['OPTIONS']['transaction_mode']", {}, "IMMEDIATE"),
        (
            "DATABASES['default']['ENGINE']",
            {"DATABASE_URL": "postgres://u@h/d"},
            "django.db.backends.postgresql",
        ),
        ("CELERY_RESULT_BACKEND", {}, "django-db"),
        ("CELERY_BROKER_URL", {"CELERY_BROKER_URL": "redis://h/1"}, "redis://h/1"),
        ("CHANNEL_LAYERS['default']['BACKEND']", {}, "channels.layers.InMemoryChannelLayer"),
        (
            "CHANNEL_LAYERS['default']['BACKEND']",
            {"CHANNEL_LAYER_URL": "redis://h/1"},
            "channels_redis.pubsub.RedisPubSubChannelLayer",
        ),
        ("ALLOWED_HOSTS", {"DJANGO_ALLOWED_HOSTS": "a.example,b.example"}, ["a.example", "b.example"]),
        ("DEBUG", {}, False),
        ("SESSION_COOKIE_SECURE", {}, False),
        ("SESSION_COOKIE_SECURE", {"DJANGO_HTTPS": "true"}, True),
        ("STATIC_URL", {"URL_PREFIX": "celery"}, "/celery/static/"),
        ("DEMO_API", {}, True),
        ("DEMO_API", {"DEMO_API": "false"}, False),
        ("MONITORING['ENVIRONMENT']", {"MONITORING_ENVIRONMENT": "staging"}, "staging"),
    ],
)
def test_a_setting_follows_the_environment(expression, environment, expected):
    run = setting(expression, DJANGO_SECRET_KEY="secret", **environment)

    assert run.stdout.strip() == repr(expected), run.stderr


@pytest.mark.parametrize(("switch", "there"), [("true", True), ("false", False)])
def test_the_demo_api_can_be_left_out(switch, there):
    """Who reaches it starts tasks without signing in."""
    addresses = (
        "/tasks",
        "/tasks/",
        "/tasks/slow",
        "/tasks/some-id/",
        "/",
        "/admin/monitoring/",
        "/api/tasks",
        "/healthz",
    )
    code = (
        "import django; django.setup(); from django.urls import is_valid_path; "
        f"print([address for address in {addresses} if is_valid_path(address)])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "DEMO_API": switch}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)

    assert run.stdout.strip() == str(list(addresses if there else addresses[4:])), run.stderr


def test_workers_report_events_and_nothing_is_unpickled():
    from project.celery import app

    assert app.conf.worker_send_task_events
    assert app.conf.task_send_sent_event
    assert app.conf.task_track_started
    assert app.conf.accept_content == ["json"]
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "json")


def test_no_command_but_runserver_carries_the_server():
    """Twisted took a sixth of the event consumer's memory."""
    loaded = "import django, sys; django.setup(); sys.exit('twisted' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "DJANGO_DEBUG": "true"}

    consumer = [sys.executable, "-c", loaded, "run_event_consumer"]
    assert subprocess.run(consumer, cwd=CHECKOUT, env=environment, check=False).returncode == 0
    server = [sys.executable, "manage.py", "runserver", "--help"]
    told = subprocess.run(server, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    assert "--websocket_handshake_timeout" in told.stdout, "its own runserver serves sockets"


def test_the_consumer_checks_its_settings_and_imports_neither_addresses_nor_the_api():
    """They took a sixth of its memory, for the web server's checks."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "DJANGO_DEBUG": "true"}

    def begin(also: str = "") -> subprocess.CompletedProcess[str]:
        code = (
            f"import sys; from django.conf import settings; settings.MONITORING |= {{{also}}}\n"
            "from django.core.management import execute_from_command_line as run\n"
            "try: run(['manage.py', 'run_event_consumer', '--batch-size', '0'])\n"
            "finally: print('project.urls' in sys.modules, 'rest_framework.views' in sys.modules)"
        )
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )

    begun = begin()
    assert (begun.stdout.strip(), "--batch-size must be" in begun.stderr) == ("False False", True), (
        begun.stderr
    )
    assert "(monitoring.E001) MONITORING has an unknown key 'BATCH'" in begin("'BATCH': 1").stderr
