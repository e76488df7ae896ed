"""THE list of the demo's processes."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One process: what its lines are prefixed with, and its command.

    One that has said `farewell` and ended well is started again, as a process manager would: a worker can be shut down
    from its page. Empty: it never is.
    """

    name: str
    command: list[str]
    farewell: str = ""


#: What a worker says that is shut down by a command (celery/worker/control.py: ``shutdown``), and not by a signal.
SHUT_DOWN = "Got shutdown from remote"
PYTHON = sys.executable
MANAGE = [PYTHON, "manage.py"]
CELERY = [PYTHON, "-m", "celery", "--quiet", "-A", "project"]
DAPHNE = [PYTHON, "-m", "daphne", "-v", "0", "-b", "127.0.0.1"]
WORKER = [*CELERY, "worker", "-E", "--loglevel", "WARNING"]


def parts(port: int) -> list[Part]:
    """What runs once the broker answers, in the order in which it starts; the web server listens on `port`."""
    return [
        Part("consumer", [*MANAGE, "run_event_consumer"]),
        Part("web", [*DAPHNE, "-p", str(port), "project.asgi:application"]),
        Part("worker 1", [*WORKER, "-n", "w1@%h", "-Q", "celery,media", "-c", "4"], farewell=SHUT_DOWN),
        Part("worker 2", [*WORKER, "-n", "w2@%h", "-Q", "celery,reports", "-c", "2"], farewell=SHUT_DOWN),
        # A schedule that is edited in the admin takes effect within five seconds.
        Part("beat", [*CELERY, "beat", "--loglevel", "WARNING", "--max-interval", "5"]),
    ]


def traffic_part(level: str) -> Part:
    """What starts tasks, `level` being normal or heavy; last, so that nothing happens before it can be seen."""
    return Part("traffic", [*MANAGE, "tasksdemo_traffic", "--level", level])
