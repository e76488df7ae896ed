"""Reading alone: take every message off the queue, decode its JSON, acknowledge, and throw it away.

`python -m bench.ingest.reading URL EVENTS` is the process that is measured; it prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass

import kombu

from bench import processes, servers
from bench.ingest import event_queue
from bench.ingest.load import Load
from bench.ingest.publisher import published

#: Events between two acknowledgements, as in a batch of the consumer.
BATCH = 5_000
#: Seconds without a message after which a reader gives up.
SILENCE = 30


@dataclass
class Reading:
    """`rate` in events per second, `memory` in bytes, `cpu` in seconds."""

    events: int
    rate: float
    memory: int
    cpu: float


def measure(load: Load, broker_url: str) -> Reading:
    """Fill the queue with the load, then read it empty. The queue is deleted at the end."""
    event_queue.declare(broker_url)
    try:
        with published(load, broker_url, time.time() - load.seconds):
            event_queue.wait_for_length(broker_url, load.messages)
        done = subprocess.run(
            [sys.executable, "-m", "bench.ingest.reading", broker_url, str(load.events)],
            cwd=servers.ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Reading(**json.loads(done.stdout))
    finally:
        event_queue.delete(broker_url)


class _Reader:
    def __init__(self) -> None:
        self.events = 0
        self.unacknowledged = 0
        self.delivery_tag: object = None

    def on_message(self, message: kombu.Message) -> None:
        events = json.loads(message.body)
        count = len(events) if isinstance(events, list) else 1
        self.events += count
        self.unacknowledged += count
        self.delivery_tag = message.delivery_tag


def main() -> None:
    broker_url, expected = sys.argv[1], int(sys.argv[2])
    reader = _Reader()
    # kombu as it is, without what the consumer does to read faster.
    with kombu.Connection(broker_url) as connection, connection.channel() as channel:
        kombu.Consumer(
            channel,
            [kombu.Queue(event_queue.NAME, no_declare=True)],
            on_message=reader.on_message,
            accept=["json"],
            prefetch_count=event_queue.PREFETCH,
        ).consume()
        connection.drain_events(timeout=SILENCE)
        first, begun = reader.events, time.monotonic()
        while reader.events < expected:
            connection.drain_events(timeout=SILENCE)
            if reader.unacknowledged >= BATCH:
                channel.basic_ack(reader.delivery_tag, multiple=True)
                reader.unacknowledged = 0
        seconds = time.monotonic() - begun
        channel.basic_ack(reader.delivery_tag, multiple=True)
    used = processes.used("self")
    print(
        json.dumps(
            {
                "events": reader.events,
                "rate": (reader.events - first) / seconds,
                "memory": used.memory,
                "cpu": used.cpu,
            }
        )
    )


if __name__ == "__main__":
    main()
