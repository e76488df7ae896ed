"""Reads the broker: how much waits in each queue, who consumes it, and since when nobody does.

Cost: one connection to the broker and what its adapter reads there; some small tables; a second where a queue with
messages seems to be nobody's, for which every worker is then asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import celery

from monitoring.brokers import BrokerAdapter, BrokerReading, BrokerUnavailable, QueueReading, adapter_for
from monitoring.celery_app import watched_app
from monitoring.conf import monitoring_settings
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.models import Broker, Queue, Worker
from monitoring.queries.worker_presence import presence
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.queues.ages import oldest_sent
from monitoring.upkeep.queues.consuming import Consumed, asked, consumers_of, judge
from monitoring.upkeep.queues.naming import KEPT, named_queues
from monitoring.upkeep.queues.sampling import add_samples, growth, trim_samples

#: Seconds that the broker has at most: the other jobs wait meanwhile.
PATIENCE = 3.0
_ABILITIES = ("listing", "unacked", "consumers", "rates", "peek", "remove")


def run(lease: LeaseHolder) -> str:
    """Read the broker and write down what it says of itself and of each queue; when it cannot be read, why."""
    using, app = lease.using, watched_app()
    now = read_clock(using)
    workers = list(Worker.objects.using(using).order_by("hostname"))
    names = named_queues(using, app, workers, now)
    adapter = adapter_for(app)
    try:
        reading = adapter.read(list(names), min(monitoring_settings.CONTROL_TIMEOUT, PATIENCE))
    except BrokerUnavailable as error:
        with lease.transaction():
            Broker.objects.using(using).update_or_create(
                pk=1, defaults={"address": adapter.address, "error": str(error), "tried_at": now}
            )
        return f"The broker was not read: {error}"
    # One that somebody named is shown, also where Celery makes such queues for itself.
    readings = [
        one
        for one in reading.queues.values()
        if one.name != _own_queue() and (names.get(one.name) or not one.is_internal)
    ]
    online, rows = _judged(using, app, readings, workers, names, now)
    with lease.transaction():
        _write_broker(using, adapter, reading, now)
        _write_queues(using, rows)
        add_samples(using, readings, now)
        trim_samples(using, now)
        Queue.objects.using(using).filter(named_at__lt=now - KEPT).delete()
    waiting = sum(one.ready or 0 for one in readings)
    return f"{len(readings)} queues read, {waiting} messages wait; {len(online)} workers online."


def _own_queue() -> str:
    return monitoring_settings.QUEUE_NAME


def _judged(
    using: str,
    app: celery.Celery,
    readings: Sequence[QueueReading],
    workers: Sequence[Worker],
    names: Mapping[str, set[str]],
    now: datetime,
) -> tuple[list[Worker], list[Queue]]:
    """Who is online, and the row of each queue as it is to be."""
    judge_presence = presence(using)
    online = [worker for worker in workers if judge_presence.is_online(worker)]
    consumers = consumers_of(online)
    known = {queue.pk: queue for queue in Queue.objects.using(using).all()}
    verdicts = {
        one.name: judge(one, known.get(one.name), consumers.get(one.name, ()), online, judge_presence)
        for one in readings
    }
    doubtful = [
        one.name
        for one in readings
        if verdicts[one.name] is Consumed.NO
        and one.consumers is None
        and (one.name not in known or known[one.name].unconsumed_since is None)
    ]
    if doubtful:
        claimed = asked(app)
        for name in doubtful:
            if claimed is None or name in claimed:
                verdicts[name] = Consumed.UNKNOWN if claimed is None else Consumed.YES
    ages, growing = oldest_sent(using, readings, now), growth(using, readings, now)
    rows = []
    for one in readings:
        row = known.get(one.name) or Queue(name=one.name, first_seen=now, named_at=now)
        _read_into(row, one, now)
        row.oldest_sent_at, row.growth = ages.get(one.name), growing.get(one.name)
        named = names.get(one.name, set()) | ({"broker"} if one.exists and one.name not in names else set())
        if named or one.ready or one.unacked:
            row.named_at = now
        row.named_by = sorted(named)
        _judge_into(row, consumers.get(one.name, []), verdicts[one.name], now)
        rows.append(row)
    return online, rows


def _read_into(row: Queue, one: QueueReading, now: datetime) -> None:
    row.exists, row.ready, row.unacked, row.consumers = one.exists, one.ready, one.unacked, one.consumers
    row.publish_rate, row.deliver_rate, row.ack_rate = one.publish_rate, one.deliver_rate, one.ack_rate
    row.settings = configured_redactor().value(dict(one.settings))
    row.read_at = now


def _judge_into(row: Queue, hosts: list[str], verdict: Consumed, now: datetime) -> None:
    if row.workers and not hosts:
        row.last_worker, row.last_worker_at = row.workers[0], now
    row.workers = hosts
    if verdict is Consumed.NO:
        row.unconsumed_since = row.unconsumed_since or now
    else:
        row.unconsumed_since = None


def _write_broker(using: str, adapter: BrokerAdapter, reading: BrokerReading, now: datetime) -> None:
    values = {
        "product": reading.product,
        "version": reading.version,
        "address": adapter.address,
        "abilities": [name for name in _ABILITIES if getattr(adapter, f"supports_{name}")],
        "connections": reading.connections,
        "channels": reading.channels,
        "memory_used": reading.memory_used,
        "memory_limit": reading.memory_limit,
        "disk_free": reading.disk_free,
        "alarms": list(reading.alarms),
        "problem": reading.problem,
        "error": "",
        "tried_at": now,
        "read_at": now,
    }
    Broker.objects.using(using).update_or_create(pk=1, defaults=values)


def _write_queues(using: str, rows: Sequence[Queue]) -> None:
    columns = [field.name for field in Queue._meta.fields if field.name != "name"]
    Queue.objects.using(using).bulk_create(
        rows, update_conflicts=True, unique_fields=["name"], update_fields=columns
    )
