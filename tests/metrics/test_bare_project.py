"""Metrics and health need none of the optional libraries; the API says which one it needs."""

import subprocess
import sys

from tests.metrics.bare_project import API
from tests.services.consuming import ROOT


def test_without_any_optional_library_they_answer_all_the_same():
    done = subprocess.run(
        [sys.executable, "-m", "tests.metrics.bare_project"], cwd=ROOT, capture_output=True, text=True
    )
    told = 'The API needs Django REST framework: pip install "django-celery-monitoring[api]"'
    assert done.stdout.splitlines() == [
        "200 401",
        *(f"{address} 401 application/problem+json True" for address in API),
        *(f"{address} 503 {told}" for address in API),
        "200 True False",
    ], done.stderr
