"""`manage.py monitoring_search_index`: makes or removes the index of text search, while everything goes on running."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connections

from monitoring.conf import monitoring_settings
from monitoring.queries.search import index

#: What PostgreSQL may use while it makes the index.
_MEMORY = "256MB"


class Command(BaseCommand):
    help = (
        "Make the index that searches in arguments, results and exceptions use (PostgreSQL, extension pg_trgm), or "
        "remove it. Neither blocks the event consumer; the index costs about a fifth of its rate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove", action="store_true", help="remove the index")

    def handle(self, *args: Any, **options: Any) -> None:
        alias = monitoring_settings.DATABASE
        if connections[alias].vendor != "postgresql":
            raise CommandError(f"Database {alias!r} is no PostgreSQL, which alone has such an index.")
        if options["remove"]:
            self._run(alias, index.drop_statement())
            self.stdout.write("The search index is removed.")
            if monitoring_settings.SEARCH_INDEX:
                self.stdout.write(
                    self.style.WARNING("MONITORING['SEARCH_INDEX'] is still True: take it out.")
                )
            return
        self._make(alias)
        if not monitoring_settings.SEARCH_INDEX:
            self.stdout.write("Set MONITORING['SEARCH_INDEX'] = True, so that searches use it.")

    def _make(self, alias: str) -> None:
        if index.is_usable(alias):
            self.stdout.write("The search index is there already.")
            return
        try:
            self._run(alias, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except ProgrammingError as error:
            raise CommandError(
                f"The extension pg_trgm could not be made ({error}). Let its owner run: CREATE EXTENSION pg_trgm;"
            ) from error
        # What an interrupted run left behind is kept up to date but never used.
        self._run(alias, index.drop_statement())
        self.stdout.write("Making the search index; a million tasks take some minutes …")
        # For this connection alone: with the server's usual 64 MB it takes several times as long.
        self._run(alias, f"SET maintenance_work_mem = '{_MEMORY}'")
        self._run(alias, index.create_statement())
        self._run(alias, index.analyze_statement())
        self.stdout.write(self.style.SUCCESS("The search index is made."))

    def _run(self, alias: str, statement: str) -> None:
        # Each by itself: what goes on CONCURRENTLY may not stand in a transaction.
        with connections[alias].cursor() as cursor:
            cursor.execute(statement)
