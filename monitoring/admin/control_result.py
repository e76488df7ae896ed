"""What became of the use of a verb, by target: for the result's own page, and for the banner of the page before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import formatting
from ..conf import monitoring_settings
from ..control.actor import Actor
from ..control.contract import Outcome
from ..control.verbs import VERBS
from ..models import AuditEntry
from ..models.audit_entry import Ending
from ..queries.audit import audit_entry
from ..queries.visibility import visibility_of
from .audit_rows import KINDS, workers_acknowledged
from .control_actions import page_of
from .url_query import with_parameters

#: Targets that the sentence names.
NAMED = 3


@dataclass(frozen=True)
class Line:
    """The answer of one target. `label` is its outcome in a word or two."""

    target: str
    outcome: str
    label: str
    words: str
    seconds: float | None


@dataclass(frozen=True)
class Told:
    """In sentences: ``Ping: 7 of 8 workers acknowledged.`` and ``celery@w3 did not answer within 2 s.``"""

    fact: str
    more: str
    kind: str
    entry: AuditEntry
    url: str


def result_context(entry: AuditEntry, site_name: str, request: HttpRequest) -> dict[str, Any]:
    """What control_result.html needs, with the page's title."""
    verb, lines = VERBS.get(entry.verb), lines_of(entry)
    again = [line.target for line in lines if line.outcome != Outcome.DONE]
    may_repeat = verb is not None and Actor.of(request).may(verb.permission)
    query = [("target", target) for target in again] + [
        (name, value) for name, value in entry.parameters.items() if isinstance(value, str | int | float)
    ]
    return {
        "title": str(verb.label) if verb else entry.verb,
        "verb": verb,
        "entry": entry,
        "told": told(entry, site_name),
        "lines": lines,
        "answers": [_answer(*answer) for answer in entry.answers] if entry.target_kind != "worker" else [],
        "parameters": [(name, formatting.cut(str(value), 100)) for name, value in entry.parameters.items()],
        "again": len(again),
        "again_url": f"{_url(entry, site_name, 'control', entry.verb)}?{urlencode(query)}"
        if again and may_repeat
        else None,
    }


def banner(request: HttpRequest, site_name: str) -> dict[str, Any]:
    """For a page that a verb was used from: ``told``, where its address names an entry of this very user's."""
    entry = audit_entry(request.user, visibility_of(request.user), request.GET.get("done", ""))
    if entry is None or entry.user_id != str(request.user.pk) or entry.verb not in VERBS:
        return {}
    return {"told": told(entry, site_name), "banner_close_url": with_parameters(request, done=None)}


def told(entry: AuditEntry, site_name: str) -> Told:
    verb, lines = VERBS.get(entry.verb), lines_of(entry)
    label = str(verb.label) if verb else entry.verb
    done = [line for line in lines if line.outcome == Outcome.DONE]
    others = [line for line in lines if line.outcome != Outcome.DONE]
    if entry.ending in (Ending.STOPPED, Ending.REFUSED):
        fact, more = f"{label}: {entry.get_ending_display()}.", [entry.words]
    elif len(lines) == 1 and not others:
        fact, more = f"{label}: {_sentence(lines[0])}.", [lines[0].words]
    elif len(lines) == 1:
        fact, more = f"{label}: {_sentence(lines[0])}.", []
    else:
        fact = f"{label}: {_count(entry)}."
        more = [f"{_sentence(line)}." for line in others[:NAMED]]
        if len(others) > NAMED:
            more.append(_("And %(count)s more.") % {"count": formatting.number(len(others) - NAMED)})
        if not others and len({line.words for line in done}) == 1:
            more = [done[0].words]
    kind = KINDS.get(Ending(entry.ending), "warn") if entry.ending in Ending.values else "warn"
    return Told(
        fact,
        " ".join(words for words in more if words),
        kind,
        entry,
        _url(entry, site_name, "control_result", entry.pk),
    )


def lines_of(entry: AuditEntry) -> list[Line]:
    """The targets that the entry lists, those that are not simply done first."""
    return [
        Line(target, outcome, _label(outcome, entry.target_kind), words, seconds)
        for target, outcome, words, seconds in entry.results
    ]


def _label(outcome: str, kind: str) -> str:
    return {
        Outcome.DONE: _("acknowledged") if kind == "worker" else _("done"),
        Outcome.LEFT_OUT: _("left out"),
        Outcome.UNCONFIRMED: _("no confirmation"),
        Outcome.FAILED: _("refused") if kind == "worker" else _("failed"),
    }[Outcome(outcome)]


def _sentence(line: Line) -> str:
    name = formatting.cut(line.target, 80)
    if line.outcome == Outcome.UNCONFIRMED:
        if line.words:
            return line.words if line.target in line.words else f"{name}: {line.words}"
        limit = f"{monitoring_settings.CONTROL_TIMEOUT:g}{formatting.NBSP}s"
        return _("%(name)s did not answer within %(limit)s") % {"name": name, "limit": limit}
    words = f"{name} {line.label}"
    return (
        words
        if line.outcome == Outcome.DONE or not line.words
        else f"{words}: {formatting.cut(line.words, 200)}"
    )


def _count(entry: AuditEntry) -> str:
    numbers = {"done": formatting.number(entry.done), "count": formatting.number(entry.target_count)}
    if entry.target_kind == "worker":
        return workers_acknowledged(entry)
    return _("done for %(done)s of %(count)s") % numbers


def _answer(host: str, said: str, words: str, seconds: float | None) -> Line:
    label = {"acknowledged": _("acknowledged"), "refused": _("refused")}.get(said, _("no confirmation"))
    outcome = {"acknowledged": Outcome.DONE, "refused": Outcome.FAILED}.get(said, Outcome.UNCONFIRMED)
    return Line(host, outcome, label, words, seconds)


def _url(entry: AuditEntry, site_name: str, view: str, key: str | int) -> str:
    return reverse(f"admin:monitoring_{page_of(entry.target_kind)}_{view}", args=[key], current_app=site_name)
