"""A project that has none of the optional libraries: prints the status of each machine endpoint, a metric, and what the
API answers to nobody and to somebody."""

import json
import sys

API = ("/api/v1/", "/api/tasks", "/api/schema/")
OPTIONAL = ("rest_framework", "prometheus_client", "opentelemetry", "channels", "django_celery_beat",
            "django_celery_results", "psycopg")  # fmt: skip


def main() -> None:
    for name in OPTIONAL:
        sys.modules[name] = None  # type: ignore[assignment]  # what importlib takes for "not there"
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only-for-tests",
        ROOT_URLCONF="monitoring.urls",
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                        "django.contrib.sessions", "django.contrib.messages", "monitoring"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                    "django.middleware.csrf.CsrfViewMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware"],
        USE_TZ=True,
    )  # fmt: skip
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("admin", password="admin")
    client = Client(enforce_csrf_checks=True)
    print(client.get("/healthz").status_code, client.get("/metrics").status_code)
    for address in API:
        answer = client.post(address)
        print(address, answer.status_code, answer["Content-Type"], bool(json.loads(answer.content)["detail"]))
    client.login(username="admin", password="admin")
    for address in API:
        answer = client.post(address)
        print(address, answer.status_code, json.loads(answer.content)["detail"])
    answer = client.get("/metrics")
    text = answer.getvalue().decode()  # type: ignore[attr-defined]
    print(answer.status_code, "monitoring_consumers 0" in text, "python_info" in text)


if __name__ == "__main__":
    main()
