"""Metrics and health need none of the optional libraries."""

import subprocess
import sys

from tests.services.consuming import ROOT


def test_without_any_optional_library_they_answer_all_the_same():
    done = subprocess.run(
        [sys.executable, "-m", "tests.metrics.bare_project"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["200 401", "200 True False"], done.stderr
