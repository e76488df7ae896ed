"""What answers where the project has no socket."""

from channels.generic.websocket import AsyncWebsocketConsumer


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc] # Channels has no types
    """Refuse the handshake, which the client sees as HTTP 403."""

    async def connect(self) -> None:
        await self.close()
