"""The demo as a person meets it: `make demo`, a task, its page in the admin, SIGTERM, nothing left.

    python -m tests.demo_smoke

Not a test of the suite: it starts the demo of this very checkout, with what it has under var/.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.project.processes import left_of, runs
from tests.project.visitor import Visitor
from tests.services.found import HOST, free_port

CHECKOUT = Path(__file__).resolve().parent.parent
# Includes the installation of the requirements where there is no environment yet.
START_SECONDS = 600
TASK_SECONDS = 120
STOP_SECONDS = 60


class SmokeError(Exception):
    """The demo does not do what it says."""


def main() -> int:
    """Start the demo, look at it, stop it; 0 when all was well."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "TRAFFIC": "normal"}
    demo = subprocess.Popen(["make", "demo"], cwd=CHECKOUT, env=environment, start_new_session=True)
    family: list[psutil.Process] = []
    try:
        visitor = Visitor(f"http://{HOST}:{port}")
        _until(lambda: _is_ready(visitor), START_SECONDS, "page that says that all is well", demo)
        if not visitor.sign_in("admin", "admin"):
            raise SmokeError("admin cannot sign in as admin")
        _see_a_finished_task(visitor, demo)
        family = psutil.Process(demo.pid).children(recursive=True)
        print(f"smoke: {len(family)} processes run; stopping them")
        demo.terminate()
        code = demo.wait(STOP_SECONDS)
        print(f"smoke: make ended with {code}")
        if left := left_of(family, STOP_SECONDS):
            raise SmokeError(f"left behind: {left}")
    except (SmokeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    finally:
        _end(demo, family)
    print("smoke: the demo starts, shows a finished task and stops")
    return 0


def _end(demo: subprocess.Popen[bytes], family: list[psutil.Process]) -> None:
    """Whatever happened: no process of the demo stays."""
    if demo.poll() is None:
        family += psutil.Process(demo.pid).children(recursive=True)
        demo.terminate()
        with suppress(subprocess.TimeoutExpired):
            demo.wait(STOP_SECONDS)
    for process in family:
        if runs(process):
            process.kill()


def _see_a_finished_task(visitor: Visitor, demo: subprocess.Popen[bytes]) -> None:
    body = json.dumps({"message": "smoke"}).encode()
    started = json.loads(visitor.read("/tasks/", body, **{"Content-Type": "application/json"}))
    page = f"/admin/monitoring/task/{started['task_id']}/change/"
    _until(lambda: "SUCCESS" in visitor.read(page), TASK_SECONDS, f"finished task on {page}", demo)
    visitor.read("/admin/monitoring/task/")
    visitor.read("/admin/monitoring/worker/")


def _is_ready(visitor: Visitor) -> bool:
    """The event consumer too: what happens before it listens is told to nobody."""
    visitor.read("/readyz")
    return True


def _until(seen: Callable[[], bool], seconds: float, what: str, demo: subprocess.Popen[bytes]) -> None:
    """Look every half second; an address that does not answer, or does not know the task yet, is looked at again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if demo.poll() is not None:
            raise SmokeError(f"the demo ended with {demo.returncode} while there was no {what}")
        try:
            if seen():
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise SmokeError(f"no {what} within {seconds} s")


if __name__ == "__main__":
    sys.exit(main())
