"""The traffic generator, on a broker that the test may stop."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tasksdemo.traffic.backlog import waiting_messages
from tasksdemo.traffic.levels import LEVELS
from tests.project.serving import CHECKOUT
from tests.services.servers import Valkey
from tests.tasksdemo.shop import SECONDS, environment_of, manage, wait_for, worker

QUEUES = ("celery", "media", "reports")
PRINT_STATES = """
from django_celery_results.models import TaskResult
print(*TaskResult.objects.values_list("status", flat=True))
"""


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture(scope="module")
def folder(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a migrated database lies."""
    path = tmp_path_factory.mktemp("traffic")
    manage(environment_of(path, valkey.url), "migrate", "-v0")
    return path


@pytest.fixture
def environment(valkey: Valkey, folder: Path) -> Iterator[dict[str, str]]:
    yield environment_of(folder, valkey.url)
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()


@contextmanager
def traffic(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running generator that has said at which level."""
    command = [sys.executable, "manage.py", "tasksdemo_traffic", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output)
    try:
        wait_for(lambda: b"level" in log.read_bytes(), lambda: f"a generator that starts:\n{log.read_text()}")
        yield process
    finally:
        process.kill()
        process.wait()


def sent(server: Valkey) -> int:
    """Messages in the queues: nobody consumes them in these tests."""
    with redis.Redis.from_url(server.url) as client:
        return sum(client.llen(queue) for queue in QUEUES)


def ended(process: subprocess.Popen[bytes], by: signal.Signals) -> int:
    process.send_signal(by)
    return process.wait(SECONDS)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_sends_until_it_is_told_to_stop(environment, valkey, tmp_path, by):
    log = tmp_path / "log"
    with traffic(environment, log, "--level", "normal") as process:
        wait_for(lambda: sent(valkey) >= 15, "15 messages")

        assert ended(process, by) == 0
    assert "Traceback" not in log.read_text()


def test_it_stops_also_while_the_broker_is_silent(environment, tmp_path):
    with Valkey() as server:
        log = tmp_path / "log"
        with traffic({**environment, "CELERY_BROKER_URL": server.url}, log) as process:
            wait_for(lambda: sent(server) >= 5, "5 messages")
            server._process.send_signal(signal.SIGSTOP)
            try:
                time.sleep(2)  # so that it is most probably waiting for an answer

                assert ended(process, signal.SIGTERM) == 0
            finally:
                server._process.send_signal(signal.SIGCONT)


def test_it_goes_on_after_a_restart_of_the_broker(environment, tmp_path):
    with Valkey() as server:
        log = tmp_path / "log"
        with traffic({**environment, "CELERY_BROKER_URL": server.url}, log) as process:
            wait_for(lambda: sent(server) >= 5, "5 messages")
            server.kill()
            wait_for(lambda: "waiting for the broker" in log.read_text(), "the broker's absence in the log")
            server.start()
            before = sent(server)
            wait_for(lambda: sent(server) >= before + 5, "more messages")
            assert "the broker is back" in log.read_text()

            assert ended(process, signal.SIGTERM) == 0
    assert "Traceback" not in log.read_text()


def test_it_waits_for_a_broker_that_is_not_there_yet(environment, tmp_path):
    with Valkey() as server:
        server.stop()
        log = tmp_path / "log"
        with traffic({**environment, "CELERY_BROKER_URL": server.url}, log):
            wait_for(lambda: "waiting for the broker" in log.read_text(), "the broker's absence in the log")
            server.start()
            wait_for(lambda: sent(server) >= 5, "5 messages")


def test_off_sends_nothing_and_stays(environment, valkey, tmp_path):
    with traffic(environment, tmp_path / "log", "--level", "off") as process:
        time.sleep(2)

        assert process.poll() is None
        assert sent(valkey) == 0
        assert ended(process, signal.SIGTERM) == 0


def test_it_ends_by_itself_after_the_seconds_it_was_given(environment):
    output = manage(environment, "tasksdemo_traffic", "--seconds", "3")

    assert "tasks and workflows sent" in output.splitlines()[-1]


def test_heavy_sends_many_times_as_much_as_normal(environment):
    def count(level: str) -> int:
        last = manage(environment, "tasksdemo_traffic", "--level", level, "--seconds", "5").splitlines()[-1]
        return int(last.split()[1].replace(",", ""))

    assert count("heavy") > 5 * count("normal")


def test_without_a_worker_the_backlog_has_an_end(environment, valkey, tmp_path):
    limit = LEVELS["normal"].most_waiting
    with redis.Redis.from_url(valkey.url) as client:
        client.lpush("media", *["{}"] * (limit + 1))
    log = tmp_path / "log"
    with traffic(environment, log):
        wait_for(
            lambda: "nothing is sent until the workers have caught up" in log.read_text(),
            "the pause in the log",
        )
        assert sent(valkey) == limit + 1
        with redis.Redis.from_url(valkey.url) as client:
            client.delete("media")
        wait_for(lambda: "sending again" in log.read_text(), "the end of the pause in the log")
        wait_for(lambda: sent(valkey) > 0, "messages")


def test_the_backlog_counts_every_queue_and_takes_a_missing_one_for_empty(environment, valkey, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", valkey.url)
    assert waiting_messages() == 0
    with redis.Redis.from_url(valkey.url) as client:
        client.lpush("celery", "{}", "{}")
        client.lpush("reports", "{}")

    assert waiting_messages() == 3


def test_within_twenty_seconds_of_traffic_every_page_has_something_to_show(environment, tmp_path):
    with worker(environment, tmp_path / "worker.log", "-n", "traffic@%h"):
        manage(environment, "tasksdemo_traffic", "--seconds", "20", "--seed", "1")

        def states() -> set[str]:
            return set(manage(environment, "shell", "-v0", "-c", PRINT_STATES).split())

        # What was sent by then: a busy machine gets to it later.
        wait_for(
            lambda: {"SUCCESS", "FAILURE", "REVOKED"} <= states(), lambda: f"all of it, but only {states()}"
        )
        log = tmp_path / "worker.log"
        wait_for(lambda: "Retry in" in log.read_text(errors="replace"), "a task that is tried again")
