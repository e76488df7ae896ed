"""Whether a socket is opened by a page of ours. Browsers open sockets to any server, and send its cookies along."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

logger = logging.getLogger(__name__)

_ADDRESS = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?")


def is_own_origin(scope: Mapping[str, Any]) -> bool:
    """Whether the Origin of a handshake is the host and port that it was sent to, or in ``CSRF_TRUSTED_ORIGINS``.

    As Django's CsrfViewMiddleware judges a POST, whatever wraps the socket: cookies ignore the port, so that a page of
    another server on the same host must not be let in. A handshake without an Origin is of no browser, and refused.
    """
    # Only for its headers and get_host(), which knows X-Forwarded-Host and ALLOWED_HOSTS.
    request = ASGIRequest({**scope, "method": "GET", "query_string": b""}, BytesIO())
    origin = request.headers.get("Origin", "").lower()
    try:
        host = request.get_host()
    except DisallowedHost as error:
        host, reason = "", str(error)
    else:
        reason = f"its host is {host!r}"
    if _is_same(origin, host) or _is_trusted(origin):
        return True
    logger.warning("A live page of the origin %.200r was refused: %.400s", origin, reason)
    return False


def _is_same(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a proxy that terminates TLS we may not know the one that the browser used.
    scheme, _, address = origin.partition("://")
    asked = _host_and_port(host)
    return scheme in ("http", "https") and asked is not None and _host_and_port(address) == asked


def _host_and_port(address: str) -> tuple[str, str] | None:
    """``("example.com", "8000")`` of ``Example.com.:8000``; no port where it is that of HTTP or HTTPS."""
    match = _ADDRESS.fullmatch(address.lower())
    if match is None:
        return None
    host, port = match.groups()
    return host.removesuffix("."), "" if port in (None, "80", "443") else port


def _is_trusted(origin: str) -> bool:
    try:
        parsed = urlsplit(origin)
    except ValueError:
        return False
    for trusted in map(str.lower, settings.CSRF_TRUSTED_ORIGINS):
        scheme, _, netloc = trusted.partition("://")
        if origin == trusted or (
            "*" in netloc and parsed.scheme == scheme and is_same_domain(parsed.netloc, netloc.lstrip("*"))
        ):
            return True
    return False
