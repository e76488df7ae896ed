"""The search index: made, used, checked for and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from monitoring.checks import check_search_index
from monitoring.models import Task
from monitoring.queries.search import index
from monitoring.queries.search.compiler import Circumstances, compile_tree
from monitoring.queries.search.grammar import parse
from tests.factories import make_task

NOW = datetime(2026, 11, 22, tzinfo=UTC)
postgresql = [
    pytest.mark.parametrize("using", ["postgresql"]),
    pytest.mark.django_db(transaction=True, databases=["default", "postgresql"]),
    pytest.mark.usefixtures("watched"),
]


def run(*arguments: str) -> str:
    written = StringIO()
    call_command("monitoring_search_index", *arguments, stdout=written, no_color=True)
    return written.getvalue()


def warnings(using: str, settings: Any, *, search_index: bool) -> list[str | None]:
    settings.MONITORING = {**settings.MONITORING, "SEARCH_INDEX": search_index}
    return [message.id for message in check_search_index(None, databases=[using])]


@pytest.fixture
def without_index() -> Iterator[None]:
    yield
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(index.drop_statement())


class TestOnPostgreSQL:
    pytestmark = postgresql

    def test_made_used_and_removed(self, using: str, settings: Any, without_index: None) -> None:
        assert warnings(using, settings, search_index=False) == []
        assert warnings(using, settings, search_index=True) == ["monitoring.W002"]
        assert "is made" in run()
        assert warnings(using, settings, search_index=True) == []
        assert "already" in run()
        for number in range(50):
            make_task(f"t{number}", using, args=f"(order-{number:04}, 'é')")
        compiled = compile_tree(parse("ORDER-0042").tree, Circumstances(NOW, UTC, True, True, list))
        found = Task.objects.filter(compiled.condition).order_by()
        with connections[using].cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
            assert index.NAME in found.explain()
            assert [task.pk for task in found] == ["t42"]
            cursor.execute("RESET enable_seqscan")
        assert "take it out" in run("--remove")
        assert warnings(using, settings, search_index=True) == ["monitoring.W002"]

    def test_what_an_interrupted_run_left_is_made_anew(self, using: str, without_index: None) -> None:
        run()
        with connections[using].cursor() as cursor:
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [index.NAME]
            )
        assert not index.is_usable(using)
        assert "is made" in run()
        assert index.is_usable(using)


def test_sqlite_has_none(settings: Any) -> None:
    with pytest.raises(CommandError, match="no PostgreSQL"):
        run()
    assert warnings("default", settings, search_index=True) == ["monitoring.W002"]
    assert not index.is_on("default")
