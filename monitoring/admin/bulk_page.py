"""A bulk run as its page shows it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from .. import formatting
from ..control.contract import Outcome, Verb
from ..control.dry_run import DryRun
from ..control.phrases import About, MoreThan, counted
from ..models import BulkRun
from ..models.bulk_run import RunState
from ..queries.bulk_runs import names_of
from ..queries.visibility import Visibility
from .audit_rows import done_words
from .control_question import nothing_fits


def run_context(run: BulkRun, verb: Verb, list_url: str, visibility: Visibility) -> dict[str, Any]:
    """What bulk_run.html needs, with the page's title."""
    found, asked = DryRun(**run.dry_run), run.state == RunState.ASKED
    count = _eligible(found)
    return {
        "title": _title(found, verb, count) if asked else str(verb.label),
        "run": run,
        "verb": verb,
        "list_url": list_url,
        "asked": asked,
        "running": run.state == RunState.RUNNING,
        "stopped": run.state == RunState.STOPPED,
        "found": found,
        "eligible": count,
        "eligible_words": counted(count),
        "left_out": sum(found.reasons.values()),
        "reasons": [
            (words, number, found.examples.get(words, []))
            for words, number in sorted(found.reasons.items(), key=lambda item: -item[1])
        ],
        "button": verb.button(count),
        "progress": progress(run),
        "results": _listed(run, visibility),
        "handled": handled(run),
    }


def _title(found: DryRun, verb: Verb, count: int) -> str:
    return verb.question(count) if count else nothing_fits(verb, found.looked_at)


def _eligible(found: DryRun) -> int:
    """How many will be done, as a number that says in texts how it is meant."""
    if found.complete:
        return found.eligible
    return About(found.expected_eligible) if found.expected else MoreThan(found.eligible)


def progress(run: BulkRun) -> dict[str, Any]:
    """For JSON. `part` is from 0 to 1, or null where nobody knows how many there are; `words` is a sentence.

    ``{"state": "running", "done": 1000, "left_out": 3, "failed": 0, "expected": 13400, "part": 0.07, "words": "..."}``
    """
    expected = run.dry_run.get("expected")
    finished = run.state == RunState.DONE
    part = min(1.0, handled(run) / expected) if expected else None
    return {
        "state": run.state,
        "done": run.done,
        "left_out": run.left_out,
        "failed": run.failed,
        "expected": expected,
        "part": 1.0 if finished else part,
        "words": f"{_words(run)}. {run.words}" if run.words else _words(run),
    }


def handled(run: BulkRun) -> int:
    return run.done + run.left_out + run.failed


def _words(run: BulkRun) -> str:
    numbers = {
        "done": formatting.number(run.done),
        "left_out": formatting.number(run.left_out),
        "failed": formatting.number(run.failed),
    }
    numbers["words"] = done_words("task", run.verb)
    text = _("%(done)s %(words)s, %(left_out)s left out") % numbers
    return text + (_(", %(failed)s failed") % numbers if run.failed else "")


def _listed(run: BulkRun, visibility: Visibility) -> list[tuple[str, str | None, str, str, str]]:
    """The first hundred results, those that are not simply done first: target, name of the task where there still is
    one, outcome, its name, words.
    """
    outcomes = {
        Outcome.DONE: done_words("task", run.verb),
        Outcome.LEFT_OUT: _("left out"),
        Outcome.UNCONFIRMED: _("no confirmation"),
        Outcome.FAILED: _("failed"),
    }
    if run.audit is None:
        return []
    names = names_of(visibility, [target for target, *_rest in run.audit.results])
    return [
        (target, names.get(target), outcome, outcomes[Outcome(outcome)], words)
        for target, outcome, words, _seconds in run.audit.results
    ]
