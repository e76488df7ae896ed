"""A command to workers as the `act` of a verb, and looking for its effect as the `observe`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from ..conf import monitoring_settings
from ..inspection.asking import ask_workers
from ..inspection.storing import store
from ..queries.visibility import Visibility
from .broadcast import Answer, Said, broadcast
from .connecting import ControlUnavailable
from .contract import Outcome, Result, Results
from .parameters import Parameters

#: Seconds between two looks.
PAUSE = 0.2

Act = Callable[[Sequence[str], Visibility, Parameters], Results]
Observe = Callable[[Results, Visibility, Parameters, float], Results]
#: What is so now, by host name; a worker that does not say is not in it: (hosts, parameters, seconds).
Look = Callable[[Sequence[str], Parameters, float], Mapping[str, Any]]


def sends(
    command: str,
    arguments: Callable[[Parameters], Mapping[str, Any]] = dict,
    *,
    remember: Look | None = None,
    refuse: Callable[[Any, Parameters], str] | None = None,
) -> Act:
    """An `act` that sends one command to all its workers at once.

    `remember` looks at what is so before; `refuse(before, parameters)` says why a worker that is so is left out.
    """

    def act(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
        before = remember(ids, parameters, monitoring_settings.CONTROL_TIMEOUT) if remember else {}
        unfit = {host: words for host in before if refuse and (words := refuse(before[host], parameters))}
        results = {host: Result(host, Outcome.LEFT_OUT, words) for host, words in unfit.items()}
        answers = broadcast(command, arguments(parameters), [host for host in ids if host not in unfit])
        results |= {host: result_of(host, answer) for host, answer in answers.items() if host in ids}
        return {host: replace(results[host], before=before.get(host)) for host in ids}

    return act


def result_of(host: str, answer: Answer) -> Result:
    outcomes = {
        Said.ACKNOWLEDGED: Outcome.DONE,
        Said.REFUSED: Outcome.FAILED,
        Said.NOTHING: Outcome.UNCONFIRMED,
    }
    words = answer.words
    if answer.said is Said.NOTHING:
        words = words or no_answer(host)
    return Result(host, outcomes[answer.said], words, answer.seconds, {host: answer})


def no_answer(host: str) -> str:
    return _("%(worker)s did not answer within %(seconds)s s; the effect may still come") % {
        "worker": host,
        "seconds": f"{monitoring_settings.CONTROL_TIMEOUT:g}",
    }


def sees(
    look: Look,
    is_seen: Callable[[Any, Any, Parameters], bool],
    words: Callable[[Any], str],
    kinds: Sequence[str],
    otherwise: Callable[[Any], str] | None = None,
) -> Observe:
    """An `observe` that looks until it is as `is_seen(before, now, parameters)` says; `words` tell what is so.

    `otherwise` tells it where the effect is not seen, if not the same words do.

    Pages show what workers last answered to `kinds` of questions: they are asked these again.
    """

    def observe(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
        seen: dict[str, Any] = {}
        last: dict[str, Any] = {}
        while waiting := [host for host in results if host not in seen]:
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                last |= look(waiting, parameters, min(left, monitoring_settings.CONTROL_TIMEOUT))
            except ControlUnavailable:
                break
            for host in waiting:
                if host in last and is_seen(results[host].before, last[host], parameters):
                    seen[host] = last[host]
            if len(seen) < len(results):
                time.sleep(min(PAUSE, max(0.0, until - time.monotonic())))
        with suppress(ControlUnavailable):
            store(ask_workers(list(last), kinds))
        return {
            host: observed(result, words(seen[host]))
            if host in seen
            else not_seen(result, (otherwise or words)(last[host]) if host in last else "")
            for host, result in results.items()
        }

    return observe


def observed(result: Result, words: str) -> Result:
    """The effect was seen, whatever the worker had said."""
    return replace(
        result, outcome=Outcome.DONE, observed=True, words=_("Observed: %(words)s") % {"words": words}
    )


def not_seen(result: Result, now: str = "") -> Result:
    """The effect was not seen in time; `now` is what is so instead."""
    if result.outcome is not Outcome.DONE:
        return replace(result, observed=False)
    words = (
        _("Acknowledged; not seen yet: %(now)s") % {"now": now} if now else _("Acknowledged; not seen yet")
    )
    return replace(result, observed=False, words=words)
