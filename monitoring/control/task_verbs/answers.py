"""What the answers of many workers to one command about tasks come to."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...conf import monitoring_settings
from ...formatting import number
from ..broadcast import Answers, Said
from ..contract import Outcome


def summed_up(answers: Answers, holder: str | None = None) -> tuple[Outcome, str]:
    """The outcome for one task, in words.

    A worker that refused matters where it is the `holder` of the task, or where nobody knows who is.
    """
    if not answers:
        return Outcome.UNCONFIRMED, _("No worker is known to be online, and none answered")
    refused = [host for host, answer in answers.items() if answer.said is Said.REFUSED]
    missing = [host for host, answer in answers.items() if answer.said is Said.NOTHING]
    if refused and (holder in refused or holder not in answers):
        host = holder if holder in refused else refused[0]
        words = _("%(worker)s refused: %(words)s") % {"worker": host, "words": answers[host or ""].words}
        return Outcome.FAILED, words
    if missing:
        return Outcome.UNCONFIRMED, _missing(missing, len(answers))
    count = len(answers) - len(refused)
    words = ngettext("Acknowledged by %(count)s worker", "Acknowledged by %(count)s workers", count)
    return Outcome.DONE, words % {"count": number(count)}


def _missing(missing: Sequence[str], count: int) -> str:
    named = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
    return _(
        "%(answered)s of %(count)s workers acknowledged; %(missing)s did not answer within %(seconds)s s, and the "
        "effect may still come"
    ) % {
        "answered": number(count - len(missing)),
        "count": number(count),
        "missing": named,
        "seconds": f"{monitoring_settings.CONTROL_TIMEOUT:g}",
    }


def terminated(answers: Answers, host: str | None) -> Collection[str] | None:
    """The ids that a worker says it ends (``terminate: id, id``); None: it does not say."""
    answer = answers.get(host or "")
    if answer is None or answer.said is not Said.ACKNOWLEDGED:
        return None
    kind, _colon, ids = answer.words.partition(": ")
    if kind != "terminate":
        return None
    return set(ids.split(", "))
