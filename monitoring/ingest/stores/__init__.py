"""Where batches go: one contract, one adapter for each kind of database."""

from __future__ import annotations

from django.db import connections

from monitoring.ingest.stores.contract import Store
from monitoring.ingest.stores.portable import PortableStore


def store_for(using: str) -> Store:
    """The fastest store that the database behind the alias `using` can have."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import is_psycopg3

        if is_psycopg3:
            from monitoring.ingest.stores.postgresql import PostgresStore

            return PostgresStore(using)
    return PortableStore(using)
