"""What commands change, as workers themselves say: asked of them, by host name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .broadcast import Said, ask
from .parameters import Parameters


def pool_size(hosts: Sequence[str], parameters: Parameters, seconds: float) -> Mapping[str, int]:
    """Processes of a prefork pool, else how many tasks run at once at most."""
    sizes = {}
    for host, pool in _pools(hosts, seconds).items():
        processes = pool.get("processes")
        size = len(processes) if isinstance(processes, list) else pool.get("max-concurrency")
        if isinstance(size, int):
            sizes[host] = size
    return sizes


def processes(hosts: Sequence[str], parameters: Parameters, seconds: float) -> Mapping[str, list[int]]:
    """Process ids of prefork pools."""
    return {
        host: pool["processes"]
        for host, pool in _pools(hosts, seconds).items()
        if isinstance(pool.get("processes"), list)
    }


def autoscale(hosts: Sequence[str], parameters: Parameters, seconds: float) -> Mapping[str, tuple[Any, Any]]:
    """Least and most processes, of workers that scale by themselves."""
    return {
        host: (stats["autoscaler"].get("min"), stats["autoscaler"].get("max"))
        for host, stats in _said("stats", {}, hosts, seconds).items()
        if isinstance(stats, dict) and isinstance(stats.get("autoscaler"), dict)
    }


def queues(hosts: Sequence[str], parameters: Parameters, seconds: float) -> Mapping[str, set[str]]:
    """Names of the queues that they consume."""
    return {
        host: {str(queue.get("name")) for queue in found if isinstance(queue, dict)}
        for host, found in _said("active_queues", {}, hosts, seconds).items()
        if isinstance(found, list)
    }


def task_attributes(
    names: Sequence[str], task_name: str, hosts: Sequence[str], seconds: float
) -> Mapping[str, dict[str, str]]:
    """Attributes of a registered task, those that are not None, as texts; nothing where it is not registered."""
    found = {}
    for host, lines in _said("registered", {"taskinfoitems": list(names)}, hosts, seconds).items():
        for line in lines if isinstance(lines, list) else ():
            name, _space, rest = str(line).partition(" [")
            if name == task_name:
                found[host] = _attributes(rest.removesuffix("]"), names)
    return found


def _attributes(text: str, names: Sequence[str]) -> dict[str, str]:
    # ``soft_time_limit=1.0 time_limit=2.0``, in the order asked for (celery/worker/control.py, ``registered``).
    found: dict[str, str] = {}
    for part in text.split(" "):
        name, equals, value = part.partition("=")
        if equals and name in names:
            found[name] = value
    return found


def _pools(hosts: Sequence[str], seconds: float) -> dict[str, dict[str, Any]]:
    return {
        host: stats["pool"]
        for host, stats in _said("stats", {}, hosts, seconds).items()
        if isinstance(stats, dict) and isinstance(stats.get("pool"), dict)
    }


def _said(command: str, arguments: dict[str, Any], hosts: Sequence[str], seconds: float) -> dict[str, Any]:
    answers = ask([(command, arguments)], hosts, timeout=seconds)[command] if hosts else {}
    return {host: answer.value for host, answer in answers.items() if answer.said is Said.ACKNOWLEDGED}
