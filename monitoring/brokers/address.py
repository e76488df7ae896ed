"""Where a broker is, as it may be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]*\Z")


def without_password(url: str) -> str:
    """``amqp://shop@mq.internal:5672/prod``: no password, no query; nothing at all where it cannot be told apart."""
    try:
        parts = urlsplit(url)
        host, port, user = parts.hostname or "", parts.port, parts.username or ""
    except ValueError:
        return "?"
    # A password with "/" or "#" in it that was not percent-encoded ends up where the host or the path should be.
    if not _HOST.match(host) or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        return f"{parts.scheme}://?" if parts.scheme.isascii() else "?"
    who = f"{user}@" if user and "password" not in user.lower() else ""
    named = f"[{host}]" if ":" in host else host
    where = f"{named}:{port}" if port else named
    return f"{parts.scheme}://{who}{where}{parts.path}"
