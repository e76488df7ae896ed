"""The demo's tasks, one file per kind. Celery's autodiscovery imports this package, so it imports them all.

The shop's tasks (orders, payments, mailing, media, reports, catalogue, search) make traffic that looks like
production; the other files show one ability of Celery each. `simulate=` in an argument says what is to go wrong.
"""

from tasksdemo.tasks import (
    canvas,
    catalogue,
    failing,
    hostile,
    large,
    mailing,
    media,
    messages,
    orders,
    outcomes,
    payments,
    progressing,
    reports,
    retrying,
    search,
    secret,
    slow,
    unicode,
)

__all__ = (
    "canvas",
    "catalogue",
    "failing",
    "hostile",
    "large",
    "mailing",
    "media",
    "messages",
    "orders",
    "outcomes",
    "payments",
    "progressing",
    "reports",
    "retrying",
    "search",
    "secret",
    "slow",
    "unicode",
)
