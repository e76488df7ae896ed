"""A WebSocket client (RFC 6455) for texts: as much of one as tests and benchmarks of ours need, without compression."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from types import TracebackType
from typing import Self

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
#: Seconds for one answer of a busy machine.
PATIENCE = 120.0


class Refused(Exception):
    """The handshake was answered with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Closed(Exception):
    """The server has closed the connection; `code` is 1006 where it did not say why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WebSocket:
    """A connection, opened by ``async with``.

        async with WebSocket("127.0.0.1", 8000, "/ws/monitoring/", Cookie="sessionid=...") as socket:
            text = await socket.receive()

    `headers` are added to the handshake; the Origin is the server's own unless one is given (None: no Origin).
    """

    def __init__(self, host: str, port: int, path: str, **headers: str | None) -> None:
        self._address = (host, port)
        fields: dict[str, str | None] = {"Origin": f"http://{host}:{port}", **headers}
        key = base64.b64encode(os.urandom(16)).decode()
        self._request = "\r\n".join(
            [
                f"GET {path} HTTP/1.1",
                f"Host: {host}:{port}",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Key: {key}",
                *(f"{name}: {value}" for name, value in fields.items() if value is not None),
                "\r\n",
            ]
        )
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        # A small buffer in the client, so that one that does not read is soon noticed.
        self._reader, self._writer = await asyncio.open_connection(*self._address, limit=256 * 1024)
        self._writer.write(self._request.encode())
        answer = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE)
        status = int(answer.split(maxsplit=2)[1])
        if status != 101:
            self._writer.close()
            raise Refused(status)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def receive(self) -> str:
        """The next text. Answers pings. Raises :class:`Closed`."""
        while True:
            try:
                kind, body = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Closed(1006) from error
            if kind == TEXT:
                return body.decode()
            if kind == PING:
                self._write(PONG, body)
            elif kind == CLOSE:
                raise Closed(struct.unpack(">H", body[:2])[0] if len(body) >= 2 else 1005)

    def send(self, text: str) -> None:
        self._write(TEXT, text.encode())

    async def _frame(self) -> tuple[int, bytes]:
        head = await self._reader.readexactly(2)
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self._reader.readexactly(8))
        return head[0] & 0x0F, await self._reader.readexactly(length)

    def _write(self, kind: int, body: bytes) -> None:
        mask = os.urandom(4)
        length = len(body)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))
        self._writer.write(bytes([0x80 | kind]) + size + mask + masked)
