"""A page's end of the socket, spoken to through the bundled project's ASGI application."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from monitoring.live.changes import Changes
from monitoring.live.feed import append
from project.asgi import application
from tests.live.conftest import PATIENCE


def cookie_of(user: User) -> str:
    """The session cookie of a signed-in user."""
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def tell(*task_ids: str, using: str = "default", **changes: Any) -> None:
    """Write a feed entry, as a consumer does after a commit."""
    append(using, Changes(tasks=set(task_ids), changes=len(task_ids), events=len(task_ids), **changes))


class Page:
    """An open page that answers each frame, unless it is told not to.

        async with Page(cookie, "page=tasks&state=FAILURE") as page:
            frame = await page.frame()

    `rows` is what the page shows by now: list name -> keys in order -> HTML.
    """

    def __init__(
        self,
        cookie: str = "",
        query: str = "page=monitor",
        application: Any = application,
        **headers: str,
    ) -> None:
        self.socket = WebsocketCommunicator(
            application,
            f"/ws/monitoring/?{query}",
            headers=[
                (name.encode(), value.encode())
                for name, value in {
                    "host": "localhost",
                    "origin": "http://localhost",
                    "cookie": cookie,
                    **headers,
                }.items()
            ],
        )
        self.answers = True
        self.cursor: int | None = None
        self.lists: dict[str, dict[str, Any]] = {}
        self.frames: list[dict[str, Any]] = []
        #: How many bytes each frame had.
        self.sizes: list[int] = []

    async def __aenter__(self) -> Page:
        connected, _ = await self.socket.connect(timeout=PATIENCE)
        assert connected
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.disconnect(timeout=PATIENCE)

    async def receive(self) -> dict[str, Any]:
        """The next message, applied as docs/live.md says."""
        text = await self.socket.receive_from(timeout=PATIENCE)
        message: dict[str, Any] = json.loads(text)
        if message["type"] == "frame":
            self.sizes.append(len(text.encode()))
            self.frames.append(message)
            self._apply(message)
            if self.answers:
                await self.say("ack", seq=message["seq"])
        return message

    async def frame(self) -> dict[str, Any]:
        """The next frame."""
        while (message := await self.receive())["type"] != "frame":
            pass
        return message

    async def until(self, what: Any, why: str) -> None:
        """Receive until `what` answers something true."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, why
            await self.receive()

    async def is_silent_for(self, seconds: float) -> bool:
        """Whether nothing but heartbeats comes for so long."""
        end = time.monotonic() + seconds
        while not await self.socket.receive_nothing(timeout=max(0.0, end - time.monotonic())):
            if (await self.receive())["type"] != "heartbeat":
                return False
        return True

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_to(json.dumps({"type": kind, **fields}))

    async def close_code(self) -> int:
        """With which code the server closes, whatever it says before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.socket.receive_output(timeout=PATIENCE)
                if message["type"] == "websocket.close":
                    return int(message["code"])

    def shown(self, name: str) -> list[str]:
        """The keys of a list whose rows are on the page, in order."""
        known = self.lists.get(name, {"order": [], "rows": {}})
        return [key for key in known["order"] if key in known["rows"]]

    def html(self, name: str, key: str) -> str:
        text: str = self.lists[name]["rows"][key]
        return text

    def _apply(self, frame: dict[str, Any]) -> None:
        self.cursor = frame["cursor"]
        for name, sent in frame.get("lists", {}).items():
            known = self.lists.setdefault(name, {"rows": {}})
            rows = {**known["rows"], **sent["rows"]}
            self.lists[name] = {**sent, "rows": {key: rows[key] for key in sent["order"] if key in rows}}


on_database = sync_to_async
