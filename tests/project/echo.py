"""An ASGI application as the project builds it, with one more socket, that accepts everybody."""

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from project.asgi import pages, websocket_urlpatterns
from project.prefix import UrlPrefix


class Echo(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Accepts."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> Any:
        await self.send(text_data, bytes_data)


application = UrlPrefix(
    ProtocolTypeRouter(
        {
            "http": pages,
            "websocket": URLRouter([path("ws/echo/", Echo.as_asgi()), *websocket_urlpatterns]),
        }
    )
)
