"""Sockets; goes into the project's asgi.py as docs/live.md shows."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.live.address import SOCKET_PATH
from monitoring.live.socket import MonitoringSocket

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path(SOCKET_PATH, MonitoringSocket.as_asgi(), name="monitoring-socket"),
]
