"""Serve everything below URL_PREFIX, whatever the proxy in front does with it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


class UrlPrefix:
    """Give http and websocket scopes the `path` and `root_path` that ASGI asks for below a prefix.

    Django takes the prefix of pages from FORCE_SCRIPT_NAME, but Channels' URLRouter takes the one of sockets
    from `root_path`, which Daphne leaves empty: without this wrapper sockets below a prefix fail with 500.
    A proxy may pass the prefix through or strip it; both end up with the same full path, so that addresses
    built from `request.path` (the admin's `?next=`) lead back through the proxy.
    """

    def __init__(self, app: ASGIApplication) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
        if prefix and scope["type"] in {"http", "websocket"}:
            scope = _below(prefix, scope)
        await self.app(scope, receive, send)


def _below(prefix: str, scope: Scope) -> Scope:
    """The scope with `prefix` in front of its path, unless it is there already, and as its root path."""
    path: str = scope["path"]
    raw_path: bytes = scope.get("raw_path") or path.encode()
    if path == prefix:
        path, raw_path = f"{path}/", raw_path + b"/"
    elif not path.startswith(f"{prefix}/"):
        path, raw_path = prefix + path, prefix.encode() + raw_path
    return {**scope, "root_path": prefix, "path": path, "raw_path": raw_path}
