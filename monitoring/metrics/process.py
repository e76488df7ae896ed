"""``process_*`` and ``python_*`` of the web process that answers, as Flower has them, if prometheus_client is there."""

from __future__ import annotations

from functools import cache
from typing import Any

from .exposition import Exposition, Format

_END = "# EOF\n"


def add_process(page: Exposition) -> None:
    """A registry of our own: what the project itself registers with prometheus_client is its own to serve."""
    registry = _registry()
    if registry is None:
        return
    from prometheus_client import exposition
    from prometheus_client.openmetrics import exposition as openmetrics

    library: Any = openmetrics if page.format is Format.OPENMETRICS else exposition
    page.raw(library.generate_latest(registry).decode().removesuffix(_END))


@cache
def _registry() -> Any:
    try:
        from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
    except ImportError:
        return None
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
