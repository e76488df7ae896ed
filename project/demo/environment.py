"""Where the demo keeps its things, and the environment that all of its processes share."""

import os
import secrets
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VAR = CHECKOUT / "var"
DATABASE = VAR / "demo.sqlite3"


def demo_environment(broker_port: int) -> dict[str, str]:
    """The environment variables of every process, for a broker that listens on `broker_port`.

    What says where data lives is set whatever the shell says: a DATABASE_URL that somebody exported for their
    real project must never be migrated, or be given a user admin with the password admin.
    """
    return {
        "DJANGO_HTTPS": "false",
        "MONITORING_ENVIRONMENT": "demo",
        # The demo's tasks fail all the time, and their tracebacks are what the pages show.
        "CELERY_TASK_LOG_LEVEL": "CRITICAL",
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": _secret_key(),
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{broker_port}/0",
        "CELERY_RESULT_BACKEND": "django-db",
        "CHANNEL_LAYER_URL": f"redis://127.0.0.1:{broker_port}/1",
        "RABBITMQ_API_URL": "",
        # Lines must reach the terminal when they are written, although the output is a pipe.
        "PYTHONUNBUFFERED": "1",
    }


def _secret_key() -> str:
    """A random key of this checkout, kept so that a restart signs nobody out."""
    path = VAR / "demo.secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()
