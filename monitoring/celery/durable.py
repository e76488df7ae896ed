"""Events that wait for the monitor on Redis and Valkey: ``Celery(events="monitoring.celery:DurableEvents")``."""

from __future__ import annotations

from typing import Any

import kombu
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher

from monitoring.conf import monitoring_settings

#: How many messages are published between two cuts of the list to its greatest length.
_CUT_EVERY = 100


# Celery's dispatcher is made to be subclassed, but its stubs leave out what a subclass needs.
_Dispatcher: Any = EventDispatcher


class DurableEventDispatcher(_Dispatcher):  # type: ignore[misc]
    """Sends each event twice where the broker is Redis or Valkey: as ever, and to a list that waits for the monitor.

    Celery's own way there is publish/subscribe, which keeps nothing while no consumer is connected. Gossip and Flower
    still need it. On every other broker this is Celery's own dispatcher.
    """

    _published = 0

    def _publish(self, event: Any, producer: Any, routing_key: str, **options: Any) -> None:
        offline = len(self._outbound_buffer)
        super()._publish(event, producer, routing_key, **options)
        if producer is None or routing_key.startswith("worker.elect"):
            return
        if len(self._outbound_buffer) > offline:
            return  # comes here again, for both ways; kept twice it would double with each failed flush
        if producer.connection.transport.driver_type != "redis":
            return
        queue = monitoring_settings.QUEUE_NAME
        try:
            # A producer of its own: the dispatcher's takes its own exchange where it is given the default one, which
            # is the one that leads straight into a list that nobody needs to have declared.
            kombu.Producer(producer.channel, auto_declare=False).publish(
                event,
                routing_key=queue,
                serializer=self.serializer,
                headers=self.headers,
                retry=options.get("retry", False),
                retry_policy=options.get("retry_policy"),
            )
            self._cut(producer, queue)
        except Exception:
            if not self.buffer_while_offline:
                raise
            self._outbound_buffer.append((event, routing_key))

    def _cut(self, producer: Any, queue: str) -> None:
        """Keep the list at its greatest length; a list has none of its own, and the consumer may be away for long."""
        self._published += 1
        if self._published % _CUT_EVERY == 1:
            channel = producer.channel
            # kombu does not add the global key prefix to this command.
            key = f"{channel.global_keyprefix}{queue}"
            channel.client.execute_command("LTRIM", key, 0, monitoring_settings.QUEUE_MAX_LENGTH - 1)


class DurableEvents(Events):
    """``Celery(events="monitoring.celery:DurableEvents")``: no event is lost on Redis or Valkey."""

    dispatcher_cls = "monitoring.celery:DurableEventDispatcher"
