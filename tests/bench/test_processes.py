"""What processes have used, for the benchmark's figures."""

import os
import subprocess
import sys

import pytest

from bench.processes import used


def test_a_running_process_has_used_memory_and_processor_time() -> None:
    figures = used(os.getpid())
    assert figures.memory > 1_000_000
    assert figures.cpu > 0


def test_a_process_that_has_ended_is_gone_also_before_its_parent_has_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError):
            used(process.pid)
    with pytest.raises(OSError, match=str(process.pid)):
        used(process.pid)
