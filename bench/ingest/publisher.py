"""Publishes a load's file: `python -m bench.ingest.publisher FILE URL --base T [--paced]`, a process of its own.

`--base` is the time of the event at position 0, in seconds since the epoch. Paced: each message is sent when the time
of its last event has come. Otherwise all go as fast as the broker takes them; a base in the past keeps their times
behind us. Prints one line of JSON when the broker has taken everything, and ends with its standard input.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import amqp

from bench import servers
from bench.ingest.frames import FrameWriter
from bench.ingest.load import Load, Message, read_messages
from bench.ingest.words import CLIENT

EXCHANGE = "celeryev"
#: Bytes gathered before they are handed to the socket.
CHUNK = 65_536
#: Seconds that a paced publisher sleeps while nothing is due.
NAP = 0.001


@dataclass
class Published:
    """`seconds` from the first message to the broker's last word; `late`: how far a paced publisher fell behind."""

    messages: int
    seconds: float
    late: float


class Publishing:
    """A publisher process at work. Its channel stays open until :meth:`stop`.

    A channel that closes takes with it what it has not handed to the leader of a quorum queue yet: of 4,000 messages
    published at full speed on a busy machine, RabbitMQ 3.10 dropped up to 300 that way.
    """

    def __init__(self, load: Load, broker_url: str, base: float, *, paced: bool) -> None:
        command = [
            sys.executable,
            "-m",
            "bench.ingest.publisher",
            str(load.path),
            broker_url,
            "--base",
            f"{base:f}",
        ]
        self._process = subprocess.Popen(
            [*command, "--paced"] if paced else command,
            cwd=servers.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def wait(self) -> Published:
        """Wait until everything is with the broker. Raises RuntimeError if that failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the publisher ended with {self._process.wait()}")
        return Published(**json.loads(line))

    def stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def published(load: Load, broker_url: str, base: float) -> Iterator[Published]:
    """All of a load, published at full speed."""
    publishing = Publishing(load, broker_url, base, paced=False)
    try:
        yield publishing.wait()
    finally:
        publishing.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("url")
    parser.add_argument("--base", type=float, required=True)
    parser.add_argument("--paced", action="store_true")
    options = parser.parse_args()
    load = Load.open(options.file)
    with servers.connect(options.url) as connection:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        writer = FrameWriter(
            EXCHANGE, channel=channel.channel_id, frame_max=connection.frame_max, hostname=CLIENT
        )
        step = 1 / load.rate
        begun = time.time()
        if options.paced:
            late = _paced(connection, writer, read_messages(load.path), options.base, step)
        else:
            late = _at_once(connection, writer, read_messages(load.path), options.base, step)
        channel.exchange_declare(
            EXCHANGE, "topic", passive=True
        )  # answered once everything before it has been routed
        seconds = time.time() - begun
        print(json.dumps({"messages": load.messages, "seconds": seconds, "late": late}), flush=True)
        sys.stdin.read()


def _body(message: Message, base: float, step: float) -> bytes:
    return message.template % tuple([base + position * step for position in message.positions])


def _at_once(
    connection: amqp.Connection, writer: FrameWriter, messages: Iterator[Message], base: float, step: float
) -> float:
    write = connection.transport.write
    chunk = bytearray()
    for message in messages:
        chunk += writer.encode(message.routing_key, _body(message, base, step))
        if len(chunk) >= CHUNK:
            write(bytes(chunk))
            chunk.clear()
    write(bytes(chunk))
    return 0.0


def _paced(
    connection: amqp.Connection, writer: FrameWriter, messages: Iterator[Message], base: float, step: float
) -> float:
    write = connection.transport.write
    chunk = bytearray()
    late = 0.0
    for message in messages:
        due = base + max(message.positions) * step
        now = time.time()
        if now < due:
            if chunk:
                write(bytes(chunk))
                chunk.clear()
            while (now := time.time()) < due:
                time.sleep(min(NAP, due - now))
        late = max(late, now - due)
        chunk += writer.encode(message.routing_key, _body(message, base, step))
        if len(chunk) >= CHUNK:
            write(bytes(chunk))
            chunk.clear()
    write(bytes(chunk))
    return late


if __name__ == "__main__":
    main()
