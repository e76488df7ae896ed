"""Database lookups of text search, with one meaning on PostgreSQL and SQLite.

``column__holds=(piece, ...)``: the pieces in this order, anywhere in the first :data:`.index.SEARCHED` characters,
whatever the case of the letters A to Z. Other letters are compared as they are: SQLite knows no other case, and the
collation "C" makes PostgreSQL do the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup, TextField
from django.db.models.sql.compiler import SQLCompiler

from ...models.fields import IdentifierField
from ..patterns import like_literal
from .index import SEARCHED, expression


def _anywhere(pieces: Iterable[str]) -> str:
    return "".join(["%", *(f"{like_literal(piece)}%" for piece in pieces if piece)])


@TextField.register_lookup
class Holds(Lookup):
    lookup_name = "holds"
    prepare_rhs = False
    #: Characters of the column that are looked through; None: all.
    searched: int | None = SEARCHED

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        if self.searched is not None:
            column = f"left({column}, {self.searched})"
        return f'{column} COLLATE "C" ILIKE %s', [*params, _anywhere(self.rhs)]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        if self.searched is not None:
            column = f"substr({column}, 1, {self.searched})"
        return f"{column} LIKE %s ESCAPE '\\'", [*params, _anywhere(self.rhs)]


@TextField.register_lookup
class HoldsAnywhere(Holds):
    """``holds`` in all of a text: the lines of a traceback that matter most are its last."""

    lookup_name = "holds_anywhere"
    searched = None


@IdentifierField.register_lookup
class InSearchIndex(Lookup):
    """``task_id__in_search_index=(piece, ...)``: a row that the index finds. Each column has to be asked as well."""

    lookup_name = "in_search_index"
    prepare_rhs = False

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        table = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{expression(table)} ILIKE %s", [_anywhere(self.rhs)]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, list[Any]]:
        return "1 = 1", []  # the columns decide
