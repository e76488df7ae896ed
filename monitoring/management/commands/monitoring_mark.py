"""``manage.py monitoring_mark LABEL``: marks a deployment on charts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.control.marks import mark
from monitoring.queries.task_filter import parse_time


class Command(BaseCommand):
    help = "Marks a moment, such as the deployment of a version, on the charts of tasks and failures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("label", help="What stands beside the mark, such as a version.")
        parser.add_argument(
            "--at",
            metavar="TIME",
            help="An ISO time, such as 2026-11-24T14:18; now if not given.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = parse_time(options["at"]) if options["at"] else None
        if options["at"] and at is None:
            raise CommandError(f"{options['at']!r} is no time; write one such as 2026-11-24T14:18.")
        try:
            made = mark(options["label"], at)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Marked {made.label} at {made.at.isoformat(timespec='seconds')}.")
