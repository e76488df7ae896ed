"""SIGTERM ends the consumer, whatever hangs."""

import os
import subprocess
import sys
from pathlib import Path

#: A consumer whose database never answers the main thread.
HANGING = """
import os, signal, time
import django
django.setup()
from django.core.management import call_command
from monitoring.management.commands import run_event_consumer as command

def hang(process):
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        time.sleep(0.01)

command.LAST_MOMENT = 0.1
command.ConsumerProcess.run = hang
call_command("run_event_consumer", skip_checks=True)
"""


def test_what_hangs_is_left_in_the_end():
    run = subprocess.run(
        [sys.executable, "-c", HANGING],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 1, run.stderr
    assert "Something hangs and is left" in run.stderr
