"""The broker's side of the consumer, one adapter for each way in which events can travel."""

from __future__ import annotations

from typing import Any

import celery
from celery.events.dispatcher import EventDispatcher
from kombu.utils.imports import symbol_by_name

from monitoring.ingest.sources.contract import EventsNotCarried, EventSource, SourceOptions
from monitoring.ingest.sources.publish_subscribe import PublishSubscribeSource
from monitoring.ingest.sources.rabbitmq import RabbitMQSource
from monitoring.ingest.sources.redis_list import RedisListSource

__all__ = ["EventSource", "EventsNotCarried", "SourceOptions", "source_for"]


def source_for(app: celery.Celery, options: SourceOptions) -> EventSource:
    """The source for the broker of `app`. Opens no connection. Raises :class:`EventsNotCarried`."""
    driver, carries = _transport(app)
    if driver == "amqp":
        return RabbitMQSource(app, options)
    if not carries:
        raise EventsNotCarried(
            f"Celery sends no events through the broker transport {driver!r}, because it has no publish/subscribe: "
            "there is nothing to monitor. Use RabbitMQ, Redis or Valkey as the broker"
            + (", or SQS with SNS (transport option supports_fanout)." if driver == "sqs" else ".")
        )
    if driver == "redis" and _sends_durable_events(app):
        return RedisListSource(app, options)
    return PublishSubscribeSource(app, options)


def _transport(app: celery.Celery) -> tuple[str, bool]:
    """Kombu's name for the kind of broker, and whether Celery's events can travel through it."""
    urls: Any = app.conf.broker_read_url or app.conf.broker_url or "amqp"
    first = str(urls[0] if isinstance(urls, list | tuple) else urls)
    scheme = first.partition(":")[0].partition("+")[0].lower()
    # What is no broker for events must be said before the packages that it needs turn out to be missing.
    if scheme in ("sqla", "sqlalchemy"):
        return "sqlalchemy", False
    if scheme == "sqs" and not app.conf.broker_transport_options.get("supports_fanout"):
        return scheme, False
    try:
        with app.connection_for_read() as connection:
            transport = connection.transport
    except (ImportError, NameError) as error:  # NameError: kombu's own where it guards an import
        raise EventsNotCarried(
            f"The broker transport {scheme!r} cannot be loaded: {error}. Install what Celery needs for it."
        ) from error
    except KeyError as error:
        raise EventsNotCarried(f"Celery knows no broker transport {scheme!r}.") from error
    except ValueError:
        # What it says may quote a password: one with a slash in it ends the host, and is then read as a port.
        raise EventsNotCarried(
            "The address of the broker cannot be read: is its port a number, and are /, :, @, # and % in its "
            "password percent-encoded?"
        ) from None
    driver = str(transport.driver_type)
    carries = driver == "sqs" or bool({"fanout", "topic"} & set(transport.implements.exchange_type))
    return driver, carries and driver not in EventDispatcher.DISABLED_TRANSPORTS


def _sends_durable_events(app: celery.Celery) -> bool:
    from monitoring.celery import DurableEvents

    events = symbol_by_name(app.events_cls or "")
    return isinstance(events, type) and issubclass(events, DurableEvents)
