"""The bundled project's Celery app: `celery -A project worker|beat`."""

import os

from celery import Celery, signals

from monitoring.celery import RedactedLog, install

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

# On Redis and Valkey events also go to a list that waits for the monitor; elsewhere this is Celery's own class.
app = Celery("project", events="monitoring.celery:DurableEvents")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Events name their queue and attempt, and tell full arguments and what follows a task, without secrets.
install(app)
# Workers log results, exceptions and tracebacks of tasks, and what tasks log themselves: without secrets, too.
signals.after_setup_logger.connect(RedactedLog.filter_handlers, weak=False)
signals.after_setup_task_logger.connect(RedactedLog.filter_handlers, weak=False)
