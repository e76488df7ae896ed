"""Asks workers, and turns what they say into what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import celery
from django.utils import timezone

from ..control.broadcast import Answer, Said, ask
from ..ingest.redaction import Redactor
from ..ingest.redaction_settings import configured_redactor
from ..models import Problem
from .intake import TooLarge, take, words
from .kinds import KINDS
from .storing import Asked


def ask_workers(
    hostnames: Sequence[str],
    kinds: Iterable[str],
    *,
    timeout: float | None = None,
    app: celery.Celery | None = None,
) -> list[Asked]:
    """Ask each of some workers each of some questions at once; one `Asked` for each pair.

    Takes `timeout` seconds (``CONTROL_TIMEOUT``) if one of them is silent, a few milliseconds if none is. Raises
    ``control.connecting.ControlUnavailable`` where nothing was asked, KeyError for a kind there is none of.
    """
    questions = [(KINDS[kind].name, KINDS[kind].arguments) for kind in kinds]
    asked_at = timezone.now()
    answers = ask(questions, hostnames, timeout=timeout, app=app)
    redactor = configured_redactor()
    return [
        _asked(hostname, kind, answer, asked_at, redactor)
        for kind, found in answers.items()
        for hostname, answer in found.items()
        if hostname in hostnames
    ]


def _asked(hostname: str, kind: str, answer: Answer, asked_at: datetime, redactor: Redactor) -> Asked:
    if answer.said is not Said.ACKNOWLEDGED:
        problem = Problem.REFUSED if answer.said is Said.REFUSED else Problem.SILENT
        return Asked(hostname, kind, asked_at, problem=problem, words=words(answer.words, redactor))
    try:
        taken = take(kind, answer.value, redactor)
    except TooLarge:
        return Asked(hostname, kind, asked_at, problem=Problem.TOO_LARGE)
    return Asked(hostname, kind, asked_at, taken, asked_at + timedelta(seconds=answer.seconds or 0))
