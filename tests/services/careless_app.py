"""The watched project with secrets wherever a configuration has room for them."""

from tests.services.watched_app import app

SECRET = "Xq7zw-K9-vF3p"

app.conf.update(
    # As before Celery 5.7: now RabbitMQ lets no second worker of one name start, unless remote control is off.
    control_queue_exclusive=False,
    broker_transport_options={"sentinel_kwargs": {"password": SECRET}},
    cache_backend=f"redis://shop:{SECRET}@cache:6379/0",
    beat_schedule={
        "sync": {
            "task": "shop.sync",
            "schedule": 30.0,
            "args": (f"--token={SECRET}",),
            "kwargs": {"api_key": SECRET},
        }
    },
    task_annotations={"shop.sync": {"options": {"headers": {"Authorization": f"Bearer {SECRET}"}}}},
)
