"""``manage.py monitoring``: what the pages show, in a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from monitoring.command_line import tail, task, tasks, workers

WORDS = {
    "tasks": (tasks, "list the newest tasks that match"),
    "task": (task, "show one task, with its events"),
    "workers": (workers, "list the workers"),
    "tail": (tail, "follow tasks as they change, until Ctrl-C"),
}


class Command(BaseCommand):
    help = (
        "Look at tasks and workers in a terminal: tables, or JSON with --json. Values are redacted as stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
        for name, (module, help_text) in WORDS.items():
            word = words.add_parser(
                name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
            )
            module.add_arguments(word)
            word.add_argument("--json", action="store_true", help="JSON instead of a table, an object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        module, _help = WORDS[options["word"]]
        try:
            module.run(self, options)
            self.stdout.flush()
        except BrokenPipeError:
            # Who read it has seen enough (`| head`). Python would complain once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except DatabaseError as error:
            raise CommandError(f"The database cannot be read: {error}") from error
