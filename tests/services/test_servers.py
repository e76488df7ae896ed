"""The servers that other tests stop and kill keep their data and their address, and leave nothing behind."""

import os
import uuid

import kombu
import psycopg
import pytest
import redis

from tests.services.servers import Postgres, RabbitMQ, Server, Valkey


def ended(server: Server, pid: int) -> bool:
    """Neither the process group nor the folder is there any more."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return not server.folder.exists()
    return False


def pid_of(server: Server) -> int:
    assert server._process is not None
    return server._process.pid


def test_postgres_keeps_what_was_committed_when_it_is_killed():
    with Postgres() as server:
        address = server.url
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")

        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address, connect_timeout=5)
        server.start()

        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]
        pid = pid_of(server)
    assert ended(server, pid)


def test_valkey_keeps_what_was_written_when_it_is_killed():
    with Valkey() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")

        server.kill()
        with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        server.restart()

        with redis.Redis.from_url(server.url) as client:
            assert client.get("kept") == b"yes"
        pid = pid_of(server)
    assert ended(server, pid)


def test_rabbitmq_keeps_persistent_messages_over_a_restart_and_cuts_connections_off():
    name = f"kept-{uuid.uuid4()}"
    with RabbitMQ() as server:
        with kombu.Connection(server.url) as connection, connection.SimpleQueue(name) as queue:
            queue.put("yes")

        server.restart()

        with kombu.Connection(server.url) as connection, connection.SimpleQueue(name) as queue:
            assert queue.get(timeout=60).payload == "yes"

        with kombu.Connection(server.url) as connection:
            connection.ensure_connection()
            server.close_connections()
            with pytest.raises(connection.connection_errors):
                connection.drain_events(timeout=60)
        pid = pid_of(server)
    assert ended(server, pid)


def test_a_server_that_cannot_start_says_why():
    with Valkey() as taken:
        second = Valkey("--port", str(taken.port))
        with pytest.raises(AssertionError, match="in use"), second:
            pass
    assert not second.folder.exists()
