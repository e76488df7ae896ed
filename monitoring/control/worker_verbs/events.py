"""Whether a worker sends events of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...queries.visibility import Visibility
from ..commands import sends
from ..contract import Outcome, Result, Results
from ..parameters import Parameters
from .pattern import Phrases, worker_verb


def _disable(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    return {
        host: _honest(result) for host, result in sends("disable_events")(ids, visibility, parameters).items()
    }


def _honest(result: Result) -> Result:
    """A worker with ``-E`` says that they are off already, and goes on (celery/worker/control.py: it has no groups)."""
    if result.outcome is not Outcome.DONE or "already" not in result.words:
        return result
    words = _now(
        "“%(words)s”. A worker that was started with -E says so too and goes on sending: only a restart without -E "
        "stops it."
    )
    return replace(result, outcome=Outcome.LEFT_OUT, words=words % {"words": result.words})


ENABLE = worker_verb(
    Phrases(
        question=_("Let %(targets)s send events?"),
        consequence=_("Tasks that it receives from now on appear here."),
        button=_("Enable events on %(targets)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="enable_events",
    label=_("Enable events"),
    did=_("enabled events"),
    lasts=_("Lasts until the worker restarts. Start it with -E to keep it."),
    act=sends("enable_events"),
)

DISABLE = worker_verb(
    Phrases(
        question=_("Let %(targets)s send no more events of tasks?"),
        consequence=_(
            "Its tasks stay here in the state that they have, and new ones do not appear at all. A worker that was "
            "started with -E cannot be stopped from sending."
        ),
        button=_("Disable events on %(targets)s"),
        safe_button=_("Go on sending"),
    ),
    name="disable_events",
    label=_("Disable events"),
    did=_("disabled events"),
    lasts=_("Lasts until the worker restarts. Start it without -E to keep it."),
    act=_disable,
)
