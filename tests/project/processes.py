"""Commands that a test runs beside itself, as an operator would."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

SECONDS = 120


class Running:
    """A command that has been started."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def until(self, seen: Callable[[], object]) -> None:
        """Look until it is so; fail with the command's output where it never is, or where the command ends."""
        deadline = time.monotonic() + SECONDS
        while not seen():
            assert self._process.poll() is None, f"it ended:\n{self._log.read_text()}"
            assert time.monotonic() < deadline, f"not so after {SECONDS} s:\n{self._log.read_text()}"
            time.sleep(0.2)


@contextmanager
def running(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, *, ends_with: int = 0
) -> Iterator[Running]:
    """Run `command`; on leaving it gets SIGTERM, upon which it must end with `ends_with`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=dict(environment), stdout=output, stderr=output)
    try:
        yield Running(process, log)
        assert process.poll() is None, f"{command} did not stay up:\n{log.read_text()}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == ends_with, f"{command} did not stop cleanly:\n{log.read_text()}"
    finally:
        process.kill()
        process.wait()


def runs(process: psutil.Process) -> bool:
    """Whether it still does something: a zombie has ended, and only waits for a parent that may never ask."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def left_of(processes: Sequence[psutil.Process], seconds: float = SECONDS) -> list[psutil.Process]:
    """Those that have not ended even `seconds` later: one that was killed ends when the machine gets round to it."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if runs(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
