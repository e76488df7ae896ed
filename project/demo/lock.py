"""One demo in one checkout: two would share a database and a broker's files."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from project.demo.environment import VAR
from project.demo.failures import DemoError


@contextmanager
def only_demo_here() -> Iterator[int]:
    """Hold the checkout's lock; the value is its file descriptor, for the children to inherit.

    A supervisor that was killed leaves its children running. They hold the lock with it, so that the next demo
    says so instead of writing to the same files.
    """
    descriptor = os.open(VAR / "demo.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode()
            raise DemoError(
                f"A demo is running in this checkout already (process {holder}). Stop it first. If that process was "
                "killed, its children are what still holds var/demo.lock: end them."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield descriptor
    finally:
        os.close(descriptor)
