import random
import signal
import sys
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasksdemo.traffic.generator import Generator
from tasksdemo.traffic.levels import LEVELS


class Command(BaseCommand):
    help = "Send the tasks of a busy web shop, until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--level",
            choices=list(LEVELS),
            default="normal",
            help="normal: about 7 tasks a second; heavy: about 200 short ones on top; off: none, but stay",
        )
        parser.add_argument("--seconds", type=float, help="stop after so many seconds (default: never)")
        parser.add_argument("--seed", type=int, help="the same seed draws the same tasks in the same order")

    def handle(self, *args: Any, **options: Any) -> None:
        # At once, also out of a connection attempt: there is nothing to finish.
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        self._say(f"level {options['level']}")
        generator = Generator(LEVELS[options["level"]], random.Random(options["seed"]), self._say)
        generator.run(options["seconds"])
        self._say(f"{generator.sent:,} tasks and workflows sent")

    def _say(self, line: str) -> None:
        self.stdout.write(f"traffic: {line}")
        self.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
