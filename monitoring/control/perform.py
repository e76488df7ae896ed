"""The one way in: permission, dry run, act, audit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..models import AuditEntry
from . import audit
from .actor import Actor
from .broadcast import Answers
from .connecting import ConnectionLost, ControlUnavailable
from .contract import NotAllowed, Outcome, Result, Results, Verb
from .parameters import Parameters
from .tasks import not_there_words
from .verbs import VERBS

#: Seconds that :func:`perform` waits for the effect, after the answers. Most come within one.
PATIENCE = 5.0
#: Outcomes whose effect may be seen: what was refused has none.
MAY_BE_SEEN = frozenset({Outcome.DONE, Outcome.UNCONFIRMED})


@dataclass(frozen=True)
class Report:
    """The result for each target, and the audit entry that tells of it (None: a dry run)."""

    verb: Verb
    results: Results
    entry: AuditEntry | None = None

    def count(self, outcome: Outcome) -> int:
        return sum(result.outcome is outcome for result in self.results.values())

    @property
    def answers(self) -> Answers:
        """What each worker said; of several commands, to the last."""
        return {host: answer for result in self.results.values() for host, answer in result.answers.items()}


def perform(
    verb_name: str,
    targets: Sequence[str],
    actor: Actor,
    parameters: Parameters | None = None,
    reason: str = "",
    *,
    dry_run: bool = False,
    patience: float = PATIENCE,
) -> Report:
    """Use a verb on a few targets by their ids; for all that match a filter there is ``control/bulk.py``.

    `parameters` are read by the verb's form. Where the effect can be observed it is awaited for at most `patience`
    seconds. With `dry_run` nothing is done: a result DONE then means "would be".

    Raises NotAllowed, which is then in the audit log; InvalidParameters; KeyError for a verb that does not exist; what
    `act` raises, with an entry that says so: ControlUnavailable where the broker cannot be reached and nothing was done
    (a 503). Once something may have been done there are results, whatever happens to the rest.
    """
    verb, targets = VERBS[verb_name], list(dict.fromkeys(targets))
    authorise(verb, actor, targets, parameters=parameters, reason=reason)
    parameters = verb.read(parameters or {}, actor.visibility, len(targets))
    if dry_run:
        results: Results = {}
        for ids in chunks(targets, verb.chunk):
            results |= judge(verb, ids, actor, parameters)
        return Report(verb, results)
    entry = audit.begin(actor, verb.name, verb.target_kind, targets, parameters=parameters, reason=reason)
    results = {}
    for ids in chunks(targets, verb.chunk):
        try:
            results |= act(verb, ids, actor, parameters, reason, entry, patience)
        except ControlUnavailable as error:
            if _is_untouched(results) and not isinstance(error, ConnectionLost):
                audit.finish(entry, str(error), stopped=True)
                raise
            rest = _not_done(ids, targets[len(results) + len(ids) :], error)
            audit.add_results(entry, rest.values(), 0.0)
            audit.finish(entry, str(error), stopped=True)
            return Report(verb, results | rest, entry)
        except Exception as error:
            audit.finish(entry, type(error).__name__, stopped=True)
            raise
    audit.finish(entry)
    return Report(verb, results, entry)


def _is_untouched(results: Results) -> bool:
    return all(result.outcome is Outcome.LEFT_OUT for result in results.values())


def _not_done(under_way: Sequence[str], behind: Sequence[str], error: ControlUnavailable) -> Results:
    """Of the targets whose turn it was when the broker went, and of those behind them."""
    outcome = Outcome.UNCONFIRMED if isinstance(error, ConnectionLost) else Outcome.FAILED
    not_tried = _("Not tried, since the broker went away before")
    return {target: Result(target, outcome, str(error)) for target in under_way} | {
        target: Result(target, Outcome.FAILED, not_tried) for target in behind
    }


def authorise(verb: Verb, actor: Actor, targets: Sequence[str] = (), **more: Any) -> None:
    """THE place where permission is checked. Raises NotAllowed after writing the attempt into the audit log."""
    if actor.may(verb.permission):
        return
    words = missing_permission(verb.permission)
    audit.refused(actor, verb.name, verb.target_kind, words, targets, **more)
    raise NotAllowed(words)


def missing_permission(permission: str) -> str:
    return _("This needs the permission %(permission)s") % {"permission": permission}


def judge(verb: Verb, ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    """What would become of each target, at most one chunk of them. Reads, and does nothing."""
    found = verb.find(ids, actor.visibility)
    return {target: _judged(verb, target, found, parameters) for target in ids}


def _judged(verb: Verb, target: str, found: Mapping[str, Any], parameters: Parameters) -> Result:
    if target not in found:
        return Result(target, Outcome.LEFT_OUT, not_there_words(verb.target_kind))
    words = verb.why_not(found[target]) or verb.why_not_so(found[target], parameters)
    return Result(target, Outcome.LEFT_OUT if words else Outcome.DONE, words)


def act(
    verb: Verb,
    ids: Sequence[str],
    actor: Actor,
    parameters: Parameters,
    reason: str,
    entry: AuditEntry,
    patience: float = 0.0,
) -> Results:
    """Use the verb on at most one chunk, and write what came of it into `entry` and Django's admin log.

    With `patience` the effect is awaited for at most so many seconds, where it can be observed.
    """
    watch = audit.Stopwatch()
    judged = judge(verb, ids, actor, parameters)
    eligible = [target for target, result in judged.items() if result.outcome is Outcome.DONE]
    results = judged | (verb.use(eligible, actor, parameters) if eligible else {})
    if patience > 0 and verb.observe is not None:
        sent = {target: results[target] for target in eligible if results[target].outcome in MAY_BE_SEEN}
        if sent:
            results |= verb.observe(sent, actor.visibility, parameters, time.monotonic() + patience)
    audit.add_results(entry, results.values(), watch.seconds)
    audit.mirror(actor, verb, results.values(), reason)
    return results


def chunks(targets: Sequence[str], size: int) -> list[Sequence[str]]:
    return [targets[start : start + size] for start in range(0, len(targets), size)]
