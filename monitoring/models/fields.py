"""Field types whose database form is part of how the monitor stays fast."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col
from django.utils.functional import cached_property


class IdentifierField(models.TextField):  # type: ignore[type-arg]  # generic in the stubs only
    """Text that is compared byte by byte: ids, names of workers and queues.

    On PostgreSQL the column has the collation "C", several times faster to compare and to index than a language's
    collation, and the same on every server. SQLite compares bytes by default and knows no collation named "C".
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        kind = super().db_type(connection)
        if connection.vendor == "postgresql" and self.unique:
            # By this name Django does not know the type, and so makes no second index for LIKE, which the collation "C"
            # does not need: on the table of tasks it was as large as the primary key, and as slow to keep.
            return f"pg_catalog.{kind}"
        return kind

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters = {**parameters, "collation": "C"}
        return parameters


class _AsJsonb(Col):
    """A column of type ``json``, as a ``jsonb`` wherever PostgreSQL does anything with it."""

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        sql, parameters = self.as_sql(compiler, connection)
        return f"({sql})::jsonb", parameters


class WrittenJSONField(models.JSONField):
    """JSON that is written often and read seldom.

    On PostgreSQL the column is a ``json``, kept as it was written, which makes a row of the event log cheaper by a
    fifth. It becomes a ``jsonb`` when it is read or looked into, so that all lookups work, without indexes.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        return _AsJsonb(alias, self, output_field)

    @cached_property
    def cached_col(self) -> Col:
        return self.get_col(self.model._meta.db_table)
