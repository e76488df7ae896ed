"""For the Celery app of the watched project; all optional. Imports no Django models.

app = Celery("shop", events="monitoring.celery:DurableEvents")
install(app)
"""

from .durable import DurableEventDispatcher, DurableEvents
from .log import RedactedLog
from .plugin import install

__all__ = ["DurableEventDispatcher", "DurableEvents", "RedactedLog", "install"]
