"""Where the socket is. Imports nothing of Channels, so that pages work without it."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import get_script_prefix

#: Below the URL prefix, without a slash in front.
SOCKET_PATH = "ws/monitoring/"


def socket_path() -> str | None:
    """The path of the socket below this request's prefix; None where Channels is not installed."""
    return f"{get_script_prefix()}{SOCKET_PATH}" if find_spec("channels") is not None else None
