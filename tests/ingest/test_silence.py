"""A database whose host has died is noticed: the limits reach libpq and its socket."""

import copy
import os
import socket

import pytest
from django.db import connections
from django.db.utils import ConnectionHandler

from monitoring.ingest.silence import LIMITS, limit_silence

pytestmark = pytest.mark.django_db(databases=["postgresql"])


def handler_with(**options: object) -> ConnectionHandler:
    """Connections of a process that has made none."""
    settings = copy.deepcopy(connections["postgresql"].settings_dict)
    settings["OPTIONS"] |= options
    return ConnectionHandler({"default": {}, "postgresql": settings})


def parameters(handler: ConnectionHandler) -> dict[str, str]:
    connection = handler["postgresql"]
    connection.ensure_connection()
    try:
        return dict(connection.connection.info.get_parameters())
    finally:
        connection.close()


def test_the_limits_reach_libpq():
    handler = handler_with()
    limit_silence(handler)
    expected = {name: str(value) for name, value in LIMITS.items()}
    del expected["keepalives"]  # libpq names no defaults
    assert parameters(handler).items() >= expected.items()


def test_the_limits_reach_the_socket():
    handler = handler_with()
    limit_silence(handler)
    connection = handler["postgresql"]
    connection.ensure_connection()
    try:
        with socket.socket(fileno=os.dup(connection.connection.fileno())) as peer:
            if peer.family == socket.AF_UNIX or not hasattr(socket, "TCP_USER_TIMEOUT"):
                pytest.skip("no TCP with a limit here")
            limit = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    finally:
        connection.close()
    assert limit == LIMITS["tcp_user_timeout"]


def test_what_the_project_says_holds():
    handler = handler_with(connect_timeout=3, keepalives_idle="60")
    limit_silence(handler)
    found = parameters(handler)
    assert (found["connect_timeout"], found["keepalives_idle"]) == ("3", "60")
    assert found["tcp_user_timeout"] == str(LIMITS["tcp_user_timeout"])


def test_other_databases_are_left_as_they_are():
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    limit_silence(handler)
    assert handler["default"].settings_dict["OPTIONS"] == {}
