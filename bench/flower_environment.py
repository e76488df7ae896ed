"""Flower from the package index, in a virtual environment of its own: for the benchmark and for the comparison test."""

from __future__ import annotations

import fcntl
import subprocess
import sys

from bench import servers

ENVIRONMENT = servers.VAR / "flower"
CELERY = ENVIRONMENT / "bin" / "celery"
#: What is compared with; the driver of Redis is for brokers that are one.
PACKAGES = ("flower==2.2.0", "celery[redis]==5.7.0")
VERSION = PACKAGES[0].partition("==")[2]


def install() -> str:
    """Flower's version, after installing it once. Raises CalledProcessError where the index cannot be reached."""
    servers.VAR.mkdir(parents=True, exist_ok=True)
    done = ENVIRONMENT / "packages.txt"
    with (servers.VAR / "flower.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes share the environment
        if not done.exists() or done.read_text().split() != list(PACKAGES):
            python = str(ENVIRONMENT / "bin" / "python")
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
            subprocess.run([python, "-m", "pip", "install", "-qq", *PACKAGES], check=True)
            done.write_text("\n".join(PACKAGES))
    return VERSION
