"""The demo's queues, and which task goes to which: settings import both.

CELERY_TASK_QUEUES = QUEUES
CELERY_TASK_ROUTES = ROUTES
"""

from kombu import Exchange, Queue

DEFAULT, MEDIA, REPORTS = "celery", "media", "reports"

# A worker that is started without -Q consumes them all. Exchange and routing key are spelled out as Celery spells
# them for the queues of -Q: a bare Queue("media") would be bound with the key of the default queue, whose tasks
# would then arrive in both, and other arguments than those of -Q would be refused by RabbitMQ.
QUEUES = tuple(
    Queue(name, Exchange(name, type="direct"), routing_key=name) for name in (DEFAULT, MEDIA, REPORTS)
)

ROUTES = {
    "tasksdemo.tasks.media.*": {"queue": MEDIA},
    "tasksdemo.tasks.reports.*": {"queue": REPORTS},
}
