"""How long the consumer's connections to PostgreSQL wait for a host that has fallen silent.

TCP itself waits for hours where nothing is on its way, and a quarter of an hour where something is.
"""

from __future__ import annotations

from django.db import connections
from django.db.utils import ConnectionHandler

#: Parameters of libpq. A host that has died is noticed after some ten seconds, as the broker's is.
LIMITS = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def limit_silence(handler: ConnectionHandler = connections) -> None:
    """Add :data:`LIMITS` to the options of every PostgreSQL database of this process that says nothing else.

    Call it before anything connects: it holds for connections that are made from then on, in every thread.
    """
    for alias in handler:
        if handler[alias].vendor == "postgresql":
            settings = handler[alias].settings_dict
            settings["OPTIONS"] = LIMITS | settings["OPTIONS"]
