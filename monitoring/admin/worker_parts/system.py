"""The process of a worker and its host: what it uses, since when, with which broker and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import formatting
from ...queries.worker_parts.system import Broker, System, broker, report, system
from .view import WorkerView

#: Characters of the report that are shown.
MOST_REPORT = 20_000

Facts = list[tuple[str, str]]
#: What Celery's report calls these (celery/app/utils.py, ``bugreport``); everything else in it is a package.
VERSIONS = {
    "arch": gettext_lazy("Architecture"),
    "imp": gettext_lazy("Python implementation"),
    "py": gettext_lazy("Python"),
    "system": gettext_lazy("Operating system"),
    "version": gettext_lazy("Kernel"),
}
#: Fields of getrusage(2).
USAGE = {
    "idrss": gettext_lazy("Memory of its own data"),
    "inblock": gettext_lazy("Reads from disk"),
    "isrss": gettext_lazy("Memory of its stack"),
    "ixrss": gettext_lazy("Memory that it shares"),
    "majflt": gettext_lazy("Page faults with a read from disk"),
    "minflt": gettext_lazy("Page faults without a read from disk"),
    "msgrcv": gettext_lazy("Messages received"),
    "msgsnd": gettext_lazy("Messages sent"),
    "nivcsw": gettext_lazy("Context switches, involuntary"),
    "nsignals": gettext_lazy("Signals received"),
    "nswap": gettext_lazy("Times that it was swapped out"),
    "nvcsw": gettext_lazy("Context switches, voluntary"),
    "oublock": gettext_lazy("Writes to disk"),
}


@dataclass(frozen=True)
class SystemPart:
    """Words and values of each group, only those that the worker has said; the `report` is Celery's own."""

    groups: list[tuple[str, Facts]]
    report: str


def system_part(view: WorkerView) -> SystemPart:
    """From the answers to ``stats``, ``memsample`` and ``report``."""
    stats = view.snapshot("stats")
    said = system(stats.content, stats.answered_at, view.snapshot("memsample").content)
    told = report(view.snapshot("report").content)
    groups = [
        (_("Memory and processor"), _usage(said)),
        (_("Broker connection"), _broker(broker(stats.content))),
        (_("Versions"), _versions(told.versions)),
        (_("Other figures of its main process"), _others(said)),
    ]
    return SystemPart(
        [(name, facts) for name, facts in groups if facts], formatting.cut(told.text, MOST_REPORT)
    )


def _usage(said: System) -> Facts:
    most = None if said.most_memory is None else max(said.most_memory, said.memory or 0)
    return _known(
        (_("Memory now"), _size(said.memory)),
        (_("Most memory"), _size(most)),
        (_("Processor time, user"), _seconds(said.user_time)),
        (_("Processor time, system"), _seconds(said.system_time)),
    )


def _versions(said: Mapping[str, str]) -> Facts:
    """Of the platform first, then of packages by name."""
    platform = [(str(words), said[name]) for name, words in VERSIONS.items() if name in said]
    return sorted(platform) + sorted((name, value) for name, value in said.items() if name not in VERSIONS)


def _broker(said: Broker) -> Facts:
    """Never with the password, which the answer does not have."""
    host = f"{said.hostname}:{said.port}" if said.hostname and said.port else said.hostname
    return _known(
        (_("Transport"), said.transport or ""),
        (_("Host"), host or ""),
        (_("Virtual host"), said.virtual_host or ""),
        (_("User"), said.user or ""),
        (_("Encrypted"), (_("yes") if said.tls else _("no")) if said.hostname else ""),
        (_("Heartbeat"), _seconds(said.heartbeat or None)),
    )


def _others(said: System) -> Facts:
    """What getrusage(2) has beside that, and Celery's logical clock; what is zero is left out."""
    clock = [(_("Logical clock"), formatting.number(said.clock))] if said.clock is not None else []
    return clock + sorted(
        (str(USAGE.get(name, name)), formatting.number(value)) for name, value in said.rusage.items() if value
    )


def _known(*facts: tuple[str, str]) -> Facts:
    return [(name, value) for name, value in facts if value]


def _size(octets: int | None) -> str:
    return "" if octets is None else formatting.size(octets)


def _seconds(value: float | None) -> str:
    return "" if value is None else formatting.duration(value)
