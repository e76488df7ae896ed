"""Run processes together: all of them, or none."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import suppress

from project.demo.environment import CHECKOUT
from project.demo.failures import DemoError
from project.demo.parts import Part
from project.demo.terminal import Terminal

# A worker that has been told to stop finishes what it runs; the demo's slow tasks are not worth more.
GRACE_SECONDS = 8
# Longest line that is shown in one piece.
LINE_BYTES = 64 * 1024
# How long a worker that was shut down stays away: long enough to be seen offline.
AWAY_SECONDS = 20


class Supervisor:
    """Starts parts, shows their lines, notices the first that ends, and stops them all.

    Each part leads a process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
    stops the parts, the first one (the broker) last.
    """

    def __init__(self, terminal: Terminal, environment: dict[str, str], lock: int) -> None:
        self.one_ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with DemoError as soon as a part ends by itself that does not come back."""
        self._terminal = terminal
        self._environment = environment
        self._lock = lock
        self._processes: list[Process] = []
        self._shows: list[asyncio.Task[None]] = []
        self._watches: list[asyncio.Task[None]] = []
        self._leaving: set[Process] = set()
        self._starting = asyncio.Lock()
        self._stopping = False

    async def start(self, part: Part) -> None:
        """Start one part, show what it writes, and watch it; nothing once they are being stopped."""
        async with self._starting:
            if self._stopping:
                return
            process = await asyncio.create_subprocess_exec(
                *part.command,
                cwd=CHECKOUT,
                env=self._environment,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                limit=LINE_BYTES,
                start_new_session=True,
                pass_fds=[self._lock],
            )
            self._processes.append(process)
        show = asyncio.create_task(self._show(part, process))
        self._shows.append(show)
        self._watches.append(asyncio.create_task(self._watch(part, process, show)))

    async def stop(self) -> None:
        """Stop every part and everything that they started."""
        async with self._starting:
            self._stopping = True
        # Together, so that the grace is waited for once; the broker when nobody needs it any more.
        await asyncio.gather(*(_stop(process) for process in self._processes[1:]))
        for broker in self._processes[:1]:
            await _stop(broker)
        if self._shows:
            # What they wrote last; a process that left its group may hold the pipe open for ever.
            await asyncio.wait(self._shows, timeout=1)
        for task in self._shows + self._watches:
            task.cancel()

    async def _show(self, part: Part, process: Process) -> None:
        assert process.stdout is not None
        while line := await _line(process.stdout):
            text = line.decode(errors="replace").rstrip()
            if part.farewell and part.farewell in text:
                self._leaving.add(process)
            self._terminal.write(part.name, text)

    async def _watch(self, part: Part, process: Process, show: asyncio.Task[None]) -> None:
        # Not the end of its output: a child of the process may keep that open.
        code = await process.wait()
        if part.farewell and code == 0:
            await _stop(process)
            await asyncio.wait([show], timeout=1)
        if self._stopping:
            return
        if code == 0 and process in self._leaving:
            self._terminal.write(
                "demo", f"{part.name} was shut down; it is started again in {AWAY_SECONDS} s"
            )
            self._leaving.remove(process)
            self._processes.remove(process)
            await asyncio.sleep(AWAY_SECONDS)
            await self.start(part)
        elif not self.one_ended.done():
            self.one_ended.set_exception(
                DemoError(f"{part.name} {_ended(code)}, so everything else was stopped.")
            )


async def _stop(process: Process) -> None:
    """Ask the process, then end its whole group: children do not always end with their parent."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line, or a piece of one that is too long; empty at the end."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError:
        return await stream.read(LINE_BYTES)


def _ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code} (its last lines are above)"
