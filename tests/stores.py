"""The stores on the databases that each is for, as parameters of a fixture: (alias of the database, class)."""

from collections.abc import Callable

import pytest

from monitoring.ingest.stores.contract import Store
from monitoring.ingest.stores.portable import PortableStore
from monitoring.ingest.stores.postgresql import PostgresStore

_STORES: dict[str, tuple[str, Callable[[str], Store]]] = {
    "portable on SQLite": ("default", PortableStore),
    "portable on PostgreSQL": ("postgresql", PortableStore),
    "PostgreSQL": ("postgresql", PostgresStore),
}
EACH_STORE = [
    pytest.param(
        case,
        id=name,
        # Only our own tables are emptied after each test, which takes a tenth of the time.
        marks=pytest.mark.django_db(transaction=True, databases=[case[0]], available_apps=["monitoring"]),
    )
    for name, case in _STORES.items()
]
