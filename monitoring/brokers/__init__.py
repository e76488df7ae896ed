"""What the broker knows of its queues: one adapter for each kind of broker."""

from __future__ import annotations

from functools import partial

import celery

from ..conf import monitoring_settings
from ..control.connecting import control_connection
from .address import without_password
from .contract import BrokerAdapter, BrokerReading, BrokerUnavailable, PeekedMessage, QueueReading
from .plain import PlainAdapter
from .rabbitmq import PassiveAdapter
from .rabbitmq_api import ManagementAdapter, derived_url, management_url
from .redis import RedisAdapter

__all__ = [
    "BrokerAdapter",
    "BrokerReading",
    "BrokerUnavailable",
    "PeekedMessage",
    "QueueReading",
    "adapter_for",
    "without_password",
]


def adapter_for(app: celery.Celery) -> BrokerAdapter:
    """The adapter for the broker of `app`. Connects to nothing.

    RabbitMQ is asked through its management API where ``MONITORING["RABBITMQ_API_URL"]`` names one, or where one
    answers on the broker's own host; else over AMQP.
    """
    connection = app.connection_for_write()
    driver = str(connection.transport.driver_type)
    several = connection.alt if len(connection.alt) > 1 else [connection.as_uri(include_password=False)]
    address = ";".join(without_password(str(url)) for url in several)
    connect = partial(control_connection, app)
    if driver == "redis":
        return RedisAdapter(connect, address)
    if driver not in ("amqp", "py-amqp"):
        return PlainAdapter(connect, address, driver)
    passive = PassiveAdapter(connect, address)
    configured = monitoring_settings.RABBITMQ_API_URL
    try:
        url = derived_url(connection) if configured is None else management_url(configured)
    except ValueError as mistake:
        passive.problem, url = str(mistake), None
    return (
        ManagementAdapter(url, str(connection.virtual_host or "/"), passive) if url is not None else passive
    )
