"""Child processes with what they used: peak memory and processor time, read from /proc (Linux)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

#: Seconds that a child has to end after SIGTERM before it is killed.
PATIENCE = 20
_TICKS = os.sysconf("SC_CLK_TCK")


class Died(Exception):
    """A measured process ended by itself; its last words are the text."""


@dataclass
class Used:
    """`memory`: peak resident bytes; `cpu`: seconds of processor time, user and system."""

    memory: int
    cpu: float


class Child:
    """A running process of the benchmark, whose output goes to a log file."""

    def __init__(self, command: list[str], log: Path, **options: object) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is ours: we stop the children in order
                **options,  # type: ignore[call-overload]
            )

    def check(self) -> None:
        """Raise :class:`Died` if the process has ended."""
        if self.process.poll() is not None:
            raise Died(f"{self.log.stem} ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self, characters: int = 2_000) -> str:
        return self.log.read_text(errors="replace")[-characters:]

    def used(self) -> Used:
        """What the running process has used so far; raises OSError once it has ended."""
        return used(self.process.pid)

    def stop(self) -> None:
        """End the process: politely, then for certain."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def used(pid: int | str) -> Used:
    """What process `pid` ("self": this one) has used so far; raises OSError once it has ended."""
    folder = Path("/proc", str(pid))
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    if "VmHWM" not in status:  # it has given its memory back, and waits for its parent to notice
        raise ProcessLookupError(f"process {pid} has ended")
    # The fields behind the parenthesis are numbered from 3 (man 5 proc): 14 is utime and 15 stime.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Used(int(status["VmHWM"].split()[0]) * 1024, (int(fields[11]) + int(fields[12])) / _TICKS)


@contextmanager
def running(command: list[str], log: Path, **options: object) -> Iterator[Child]:
    """A child that is stopped at the end."""
    child = Child(command, log, **options)
    try:
        yield child
    finally:
        child.stop()


def stop_on_signals() -> None:
    """Let SIGTERM end the benchmark as Ctrl-C does, through every ``finally``.

    Ctrl-C too where it was started in the background of a script, whose shell has SIGINT ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
