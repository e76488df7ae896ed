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


class Supervisor:
    """Starts parts, shows their lines, notices the first that ends, and stops them all.

    Each part leads a process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
    stops the parts, the first one (the broker) last.
    """

    def __init__(self, terminal: Terminal, environment: dict[str, str], lock: int) -> None:
        self.one_ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with DemoError as soon as any part ends by itself: none of them should."""
        self._terminal = terminal
        self._environment = environment
        self._lock = lock
        self._processes: list[Process] = []
        self._shows: list[asyncio.Task[None]] = []
        self._watches: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self, part: Part) -> None:
        """Start one part, show what it writes, and watch it."""
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
        self._shows.append(asyncio.create_task(self._show(part, process)))
        self._watches.append(asyncio.create_task(self._watch(part, process)))

    async def stop(self) -> None:
        """Stop every part and everything that they started."""
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
            self._terminal.write(part.name, line.decode(errors="replace").rstrip())

    async def _watch(self, part: Part, process: Process) -> None:
        # Not the end of its output: a child of the process may keep that open.
        code = await process.wait()
        if not self._stopping and not self.one_ended.done():
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
