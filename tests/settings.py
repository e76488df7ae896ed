"""The bundled project's settings under test: SQLite, and PostgreSQL beside it where one answers.

Each run has databases of its own (the process id is in their names), so that several runs on one machine do not
meet. With xdist, pytest-django adds the name of its worker.
"""

import os
import tempfile
from pathlib import Path

os.environ["DJANGO_SECRET_KEY"] = "only-for-tests"
os.environ["DATABASE_URL"] = f"sqlite:///{Path(tempfile.gettempdir()) / f'monitoring-{os.getpid()}.sqlite3'}"
for name in (
    "CELERY_BROKER_URL",
    "CELERY_RESULT_BACKEND",
    "CHANNEL_LAYER_URL",
    "DEMO_API",
    "DJANGO_DEBUG",
    "DJANGO_ALLOWED_HOSTS",
    "DJANGO_HTTPS",
    "MONITORING_ENVIRONMENT",
    "RABBITMQ_API_URL",
    "URL_PREFIX",
):
    os.environ.pop(name, None)

from project.settings import *  # noqa: E402, F403
from project.settings import DATABASES, env  # noqa: E402
from tests.services import found  # noqa: E402

# A file, not memory: child processes and threads of the tests share it.
DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}.test"}

if found.postgres():
    DATABASES["postgresql"] = {
        **env.db_url_config(found.POSTGRES_URL),
        # Independent of "default", so that the tests of PostgreSQL can be run alone.
        "TEST": {"NAME": f"test_monitoring_{os.getpid()}", "DEPENDENCIES": []},
    }

# Tests sign in hundreds of times; the real hasher is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are read from the apps' folders on demand, not listed at the start of each test client.
WHITENOISE_AUTOREFRESH = True
