"""`python -m bench.ingest` on tiny loads: it measures what it promises, and leaves nothing behind."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench import servers
from tests.services import found
from tests.services.required import require

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def _servers() -> None:
    require(found.rabbitmq() and shutil.which("rabbitmqctl"), "RabbitMQ")
    require(found.postgres(), "PostgreSQL")


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "bench.ingest", *arguments],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def corners(pid: int) -> set[str]:
    """Databases and virtual hosts of one benchmark."""
    with psycopg.connect(found.POSTGRES_URL) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    hosts = subprocess.run(
        ["rabbitmqctl", "--quiet", "list_vhosts"], check=True, capture_output=True, text=True
    ).stdout.split()
    return {name for name in (*names, *hosts) if name.startswith(servers.PREFIX.format(pid=pid))}


def test_every_part_but_flower_is_measured_and_nothing_is_lost_or_stored_twice(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    bench = start(
        *("--only", "reading", "--only", "ours", "--only", "two", "--shape", "interleaved", "--group", "24"),
        *("--events", "4000", "--rates", "1000", "--seconds", "2", "--preload", "1000", "--sqlite"),
        *("--waiting", "2000", "--json", str(file)),
    )
    output, _ = bench.communicate()
    assert bench.returncode == 0, output
    lines: dict[str, dict[str, Any]] = {line["what"]: line for line in json.loads(file.read_text())["lines"]}
    assert set(lines) == {
        "reading alone",
        "ours",
        "ours, two consumers",
        "ours, SQLite",
        "ours, on 1,000 tasks",
        "ours, steady (1)",
        "ours, 2,000 waiting",
    }
    for what, line in lines.items():
        assert not line["wrong"], line
        assert line["memory"] > 10_000_000
        if what != "reading alone":
            assert line["lost"] == 0
            assert what in output
    steady = lines["ours, steady (1)"]
    assert steady["offered"] == 1_000
    assert 0 < steady["lag_p50"] <= steady["lag_p99"]
    assert "Nothing was lost, nothing was stored twice." in output


def test_an_interrupted_run_removes_its_servers_corners() -> None:
    bench = start("--only", "ours", "--shape", "contiguous", "--group", "24", "--events", "4000")
    try:
        deadline = time.monotonic() + 120
        while len(corners(bench.pid)) < 2 and bench.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(corners(bench.pid)) >= 2
        bench.send_signal(signal.SIGINT)
        bench.communicate(timeout=120)
    finally:
        bench.kill()
        bench.wait()
    assert bench.returncode == 130
    assert not corners(bench.pid)


def test_benchmarks_refuse_servers_of_other_machines() -> None:
    bench = start("--rabbitmq", "amqp://guest:guest@broker.example:5672")
    output, _ = bench.communicate()
    assert bench.returncode != 0
    assert "loopback only" in output
