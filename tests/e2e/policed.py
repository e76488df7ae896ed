"""The project as it is, below the strictest Content-Security-Policy that the pages promise to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from project.asgi import application as project

Message = dict[str, Any]
POLICY = (b"content-security-policy", b"default-src 'self'")


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    async def with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], POLICY]}
        await send(message)

    await project(scope, receive, with_policy)
