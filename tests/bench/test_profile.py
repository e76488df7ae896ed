"""`python -m bench.profile` on a tiny load."""

import subprocess
import sys

import pytest

from bench import servers
from tests.services import found
from tests.services.required import require


@pytest.mark.timeout(300)
def test_time_is_shown_stage_by_stage() -> None:
    require(found.postgres(), "PostgreSQL")
    done = subprocess.run(
        [sys.executable, "-m", "bench.profile", "--events", "2000", "--batch-size", "500", "--functions"],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for stage in ("decode", ". fold", ". COPY monitoring_taskevent", "write", "function calls"):
        assert stage in done.stdout
