"""The project as it is, below the strictest Content-Security-Policy that the pages promise to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import django

django.setup()

from monitoring.control.perform import perform  # noqa: E402
from project.asgi import application as project  # noqa: E402

Message = dict[str, Any]
POLICY = (b"content-security-policy", b"default-src 'self'")
# Seconds in which a page looks for the effect of what was done on it: a busy machine takes longer than usual.
perform.__kwdefaults__["patience"] = 20.0


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    async def with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], POLICY]}
        await send(message)

    await project(scope, receive, with_policy)
