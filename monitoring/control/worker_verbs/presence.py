"""Whether a worker is there: ping it, or shut it down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ... import formatting
from ...conf import monitoring_settings
from ...inspection.asking import ask_workers
from ...inspection.kinds import KINDS
from ...inspection.storing import store
from ...queries import control
from ...queries.visibility import Visibility
from ...queries.workers import online_hostnames
from .. import workers
from ..broadcast import Said, ask, broadcast, send
from ..commands import PAUSE, no_answer, not_seen, observed, result_of
from ..connecting import ControlUnavailable
from ..contract import Outcome, Result, Results
from ..parameters import Parameters
from ..workers import WorkerTarget
from .pattern import Phrases, worker_verb

#: Questions without an answer, a second each, after which a worker that had answered is gone.
UNANSWERED = 2


def _ping(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    answers = broadcast("ping", None, ids)
    return {host: _answered(result_of(host, answers[host])) for host in ids}


def _answered(result: Result) -> Result:
    if result.outcome is not Outcome.DONE or result.seconds is None:
        return result
    return replace(result, words=_now("answered in %(time)s") % {"time": formatting.duration(result.seconds)})


def _refresh(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    asked = ask_workers(ids, KINDS)
    store(asked)
    results = {}
    for host in ids:
        silent = [one.kind for one in asked if one.hostname == host and one.problem]
        if len(silent) == len(KINDS):
            results[host] = Result(host, Outcome.UNCONFIRMED, no_answer(host))
        else:
            words = _now("no answer to %(questions)s") % {"questions": ", ".join(silent)} if silent else ""
            results[host] = Result(host, Outcome.DONE, words)
    return results


def _processes(hosts: Sequence[str], seconds: float) -> dict[str, tuple[Any, float]]:
    """Of the workers that answer: the process, and since when it runs by the clock of this one."""
    answers = ask(["stats"], hosts, timeout=seconds)["stats"] if hosts else {}
    found = {}
    for host, answer in answers.items():
        if answer.said is not Said.NOTHING:
            stats = answer.value if isinstance(answer.value, dict) else {}
            uptime = stats.get("uptime")
            began = time.monotonic() - uptime if isinstance(uptime, int | float) else 0.0
            found[host] = (stats.get("pid"), began)
    return found


def _is_another(before: tuple[Any, float], now: tuple[Any, float]) -> bool:
    """In a container a worker that was started again has the process id that it had before; uptimes are in seconds."""
    return before[0] != now[0] or now[1] - before[1] > 2


def _shut_down(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """A worker leaves without an answer: who answers before can be missed afterwards."""
    there = _processes(ids, monitoring_settings.CONTROL_TIMEOUT)
    send("shutdown", None, ids)
    words = _now("Sent; a worker that shuts down does not answer")
    return {host: Result(host, Outcome.UNCONFIRMED, words, before=there.get(host)) for host in ids}


def _gone(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
    """Until the worker has said that it is offline, or it no longer answers though it did, or another answers."""
    seen: dict[str, str] = {}
    missed = dict.fromkeys(results, 0)
    while (waiting := [host for host in results if host not in seen]) and time.monotonic() < until:
        online = set(online_hostnames())
        seen |= {host: _now("it has said that it is offline") for host in waiting if host not in online}
        asked = [host for host in waiting if results[host].before and host not in seen]
        try:
            answering = _processes(asked, max(0.1, min(1.0, until - time.monotonic())))
        except ControlUnavailable:
            break
        for host in asked:
            missed[host] = 0 if host in answering else missed[host] + 1
            if missed[host] >= UNANSWERED:
                seen[host] = _now("it no longer answers")
            elif host in answering and _is_another(results[host].before, answering[host]):
                seen[host] = _now("it has ended, and was started again already")
        time.sleep(PAUSE)
    return {
        host: observed(result, seen[host]) if host in seen else not_seen(result)
        for host, result in results.items()
    }


def _facts(
    targets: Sequence[WorkerTarget], parameters: Parameters, visibility: Visibility
) -> Sequence[tuple[str, str]]:
    running = sum(target.worker.active or 0 for target in targets)
    # A limited user sees no figures of workers.
    label = (
        _now("%(count)s running") % {"count": formatting.number(running)}
        if visibility.is_everything and running
        else _now("Running tasks")
    )
    facts = [
        (label, _now("are finished first, however long they take")),
        (_now("Reserved tasks"), _now("go back to their queues")),
        (
            _now("Cannot be undone"),
            _now("from here: only its process manager (systemd, Kubernetes, Docker) starts it"),
        ),
    ]
    queues = _queues_left_alone(targets, visibility)
    if queues:
        facts.insert(
            0, (_now("Only consumer"), _now("of %(queues)s: what waits there stays") % {"queues": queues})
        )
    return facts


def _tick(targets: Sequence[WorkerTarget], parameters: Parameters, visibility: Visibility) -> str:
    queues = _queues_left_alone(targets, visibility)
    return _now("I know that nothing else consumes %(queues)s") % {"queues": queues} if queues else ""


def _queues_left_alone(targets: Sequence[WorkerTarget], visibility: Visibility) -> str:
    return ", ".join(control.consumed_only_by(visibility, [target.name for target in targets]))


PING = worker_verb(
    Phrases(
        question=_("Ping %(targets)s?"),
        consequence=_("Nothing changes. A worker with a solo pool answers only between two tasks."),
        button=_("Ping %(targets)s"),
        safe_button=_("Leave it"),
    ),
    name="ping",
    label=_("Ping"),
    permission="monitoring.view_worker",
    did=_("pinged"),
    why_not=workers.always,
    act=_ping,
)

REFRESH = worker_verb(
    Phrases(
        question=_("Ask %(targets)s what they are and do?"),
        question_so=_("Ask %(targets)s what it is and does?"),
        consequence=_("Nothing changes but what is shown here."),
        button=_("Ask %(targets)s"),
        safe_button=_("Leave it"),
    ),
    name="refresh",
    label=_("Inspect now"),
    permission="monitoring.view_worker",
    did=_("inspected"),
    why_not=workers.always,
    act=_refresh,
)

SHUTDOWN = worker_verb(
    Phrases(
        question=_("Shut down %(targets)s?"),
        consequence=_(
            "A warm shutdown: no more tasks are taken, running ones are finished, then the worker ends."
        ),
        button=_("Shut down %(targets)s"),
        safe_button=_("Keep it running"),
        facts=_facts,
        tick=_tick,
    ),
    name="shutdown",
    label=_("Shut down"),
    permission="monitoring.shutdown_worker",
    destroys=True,
    happens=_("will be shut down"),
    did=_("shut down"),
    lasts=_("Your process manager may start it again at once: stop it there to keep it stopped."),
    act=_shut_down,
    observe=_gone,
)
