"""`python -m project.demo`: what `make demo` runs. PORT and TRAFFIC come from the environment."""

import asyncio
import os
import signal
import socket
import sys
import urllib.request
from http import HTTPStatus
from typing import Any

from project.demo.broker import broker_answers, broker_command, free_port
from project.demo.environment import VAR, demo_environment
from project.demo.failures import DemoError
from project.demo.lock import only_demo_here
from project.demo.parts import Part, parts, traffic_part
from project.demo.supervisor import Supervisor
from project.demo.terminal import Terminal

TRAFFIC_LEVELS = ("off", "normal", "heavy")
# A cold start on a slow, busy machine; a process that fails ends the wait at once.
START_SECONDS = 120


def main() -> int:
    """Run the demo until it is told to stop; 0 then, 1 when it could not go on."""
    try:
        port, traffic = _choices()
        VAR.mkdir(exist_ok=True)
        with only_demo_here() as lock:
            broker_port = free_port()
            os.environ.update(demo_environment(broker_port))
            _prepare_database()
            asyncio.run(_run(port, traffic, broker_port, lock))
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Before the processes were started; afterwards the signal is the supervisor's.
        return 0
    return 0


def _choices() -> tuple[int, str]:
    """PORT, which must be free, and TRAFFIC."""
    traffic = os.environ.get("TRAFFIC") or "normal"
    if traffic not in TRAFFIC_LEVELS:
        raise DemoError(f"TRAFFIC={traffic} is none of {', '.join(TRAFFIC_LEVELS)}.")
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DemoError(f"PORT={text} is no port.")
    with socket.socket() as listener:
        # As the server itself will: a port that was closed a moment ago can be used again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise DemoError(
                f"Port {text} is not free ({error.strerror}). Try PORT=8001 make demo."
            ) from error
    return int(text), traffic


def _prepare_database() -> None:
    """Migrate and create the users, in this process: one start of Python less before the page answers."""
    import django
    from django.core.management import call_command

    django.setup()
    from project.demo.users import create_demo_users

    call_command("migrate", interactive=False, verbosity=0)
    call_command("tasksdemo_schedule", verbosity=0)
    create_demo_users()


async def _run(port: int, traffic: str, broker_port: int, lock: int) -> None:
    """Start everything and return when told to stop. Raises DemoError when a part ends or never answers."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    terminal = Terminal()
    supervisor = Supervisor(terminal, dict(os.environ), lock)
    told = asyncio.create_task(told_to_stop.wait())
    start = asyncio.create_task(_start(supervisor, terminal, port, traffic, broker_port))
    try:
        await _first_of(told, supervisor.one_ended, start)
        await _first_of(told, supervisor.one_ended)
    finally:
        start.cancel()
        await asyncio.wait([start])
        terminal.write("demo", "stopping")
        await supervisor.stop()
        terminal.write("demo", "stopped")


async def _first_of(*awaited: asyncio.Future[Any]) -> None:
    """Return when one of them is done; raises what it raised."""
    done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()


async def _start(
    supervisor: Supervisor, terminal: Terminal, port: int, traffic: str, broker_port: int
) -> None:
    """Start everything in order, and say where it is once the page answers."""
    try:
        async with asyncio.timeout(START_SECONDS):
            await supervisor.start(Part("broker", broker_command(broker_port)))
            await broker_answers(broker_port)
            for part in parts(port):
                await supervisor.start(part)
            address = _address(port)
            while not await asyncio.to_thread(_answers, address):
                await asyncio.sleep(0.2)
            if traffic != "off":
                await supervisor.start(traffic_part(traffic))
    except TimeoutError:
        raise DemoError(f"Nothing answered within {START_SECONDS} s.") from None
    terminal.write("demo", f"ready: {address}")
    terminal.write(
        "demo", "sign in as admin / admin, operator / operator or viewer / viewer; Ctrl-C stops everything"
    )


def _address(port: int) -> str:
    prefix = os.environ.get("URL_PREFIX", "").strip("/")
    return f"http://127.0.0.1:{port}/{prefix + '/' if prefix else ''}admin/"


def _answers(address: str) -> bool:
    """Whether the page behind `address` (the login, for somebody who is signed out) is served."""
    try:
        with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - our own address
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        # Not listening yet; an HTTP error is an OSError too.
        return False


if __name__ == "__main__":
    sys.exit(main())
