from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasksdemo.schedules import create_schedules, remove_schedules


class Command(BaseCommand):
    help = "Create the demo's schedules in django-celery-beat; those that exist stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="delete the demo's schedules instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self.stdout.write(f"{remove_schedules()} schedules removed")
            return
        created = create_schedules()
        if options["verbosity"] == 0:
            return
        self.stdout.write(f"{len(created)} schedules created" + "".join(f"\n  {name}" for name in created))
