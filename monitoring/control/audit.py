"""The audit log: an entry for each use of a verb and for each attempt that was refused."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils import timezone

from .. import formatting
from ..ingest.redaction_settings import configured_redactor
from ..models import AuditEntry
from ..models.audit_entry import Ending
from .actor import Actor
from .contract import Outcome, Result, Verb
from .parameters import Parameters, is_text

#: Targets and results that one entry lists; it always has their numbers.
MAX_LISTED = 100
#: Characters of one id and of one sentence in an entry.
MAX_TEXT = 1_000
#: Characters of one parameter in an entry, as JSON.
MAX_VALUE = 4_000


def begin(
    actor: Actor,
    verb: str,
    target_kind: str,
    targets: Sequence[str] = (),
    *,
    target_count: int | None = None,
    query: str = "",
    parameters: Parameters | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write the entry before anything is done. It stands whatever becomes of the caller's transaction's later parts."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        user_id=actor.user_id,
        user_name=_text(actor.user_name),
        via=actor.via,
        address=_text(actor.address),
        verb=verb[:50],
        target_kind=target_kind,
        targets=[_text(target) for target in targets[:MAX_LISTED]],
        target_count=len(targets) if target_count is None else target_count,
        query=_text(query, 4 * MAX_TEXT),
        parameters=_bounded(_without_secrets(dict(parameters or {}))),
        reason=_without_secrets(_text(reason)),
    )


def refused(
    actor: Actor, verb: str, target_kind: str, words: str, targets: Sequence[str] = (), **more: Any
) -> None:
    """Write that an attempt was refused, and why; `more` is as for :func:`begin`."""
    entry = begin(actor, verb, target_kind, targets, **more)
    AuditEntry.objects.filter(pk=entry.pk).update(ending=Ending.REFUSED, words=_text(words), duration=0.0)


def add_results(entry: AuditEntry, results: Iterable[Result], seconds: float) -> None:
    """Add what a call of the verb answered; `entry` is brought up to date.

    What is done is the norm: the list of results has the others first, as far as there is room.
    """
    results = list(results)
    counts = Counter(result.outcome for result in results)
    with transaction.atomic(using=AuditEntry.objects.db):
        locked = AuditEntry.objects.select_for_update().get(pk=entry.pk)
        listed = locked.results + [listed_result(result) for result in results]
        listed.sort(key=lambda row: row[1] == Outcome.DONE)
        targets = locked.targets + [
            _text(result.target) for result in results if result.target not in locked.targets
        ]
        answers = {answer[0]: answer for answer in locked.answers}
        for result in results:
            # Tasks of one command share what was answered.
            for host, answer in result.answers.items():
                answers[host] = [_text(host), str(answer.said), _words(answer.words), answer.seconds]
        AuditEntry.objects.filter(pk=entry.pk).update(
            results=listed[:MAX_LISTED],
            targets=targets[:MAX_LISTED],
            answers=list(answers.values())[:MAX_LISTED],
            done=models.F("done") + counts[Outcome.DONE],
            left_out=models.F("left_out") + counts[Outcome.LEFT_OUT],
            failed=models.F("failed") + counts[Outcome.FAILED] + counts[Outcome.UNCONFIRMED],
            duration=(locked.duration or 0.0) + seconds,
        )
    entry.refresh_from_db()


def finish(entry: AuditEntry, words: str = "", *, stopped: bool = False) -> None:
    """Say how it ended, by the numbers. `stopped`: before all targets had their turn; `words` say why."""
    entry.refresh_from_db()
    if stopped:
        ending = Ending.STOPPED
    elif entry.failed:
        ending = Ending.PARTLY if entry.done else Ending.FAILED
    elif entry.done:
        ending = Ending.PARTLY if entry.left_out else Ending.DONE
    else:
        ending = Ending.NOTHING
    AuditEntry.objects.filter(pk=entry.pk).update(ending=ending, words=_text(words))
    entry.refresh_from_db()


def conclude(entry: AuditEntry, done: int, seconds: float, *, complete: bool) -> None:
    """Say how an export ended: how many rows, and whether they were all."""
    ending = Ending.DONE if complete else Ending.STOPPED
    AuditEntry.objects.filter(pk=entry.pk).update(ending=ending, done=done, duration=seconds)


def resume(entry: AuditEntry | None) -> None:
    """Say that what had stopped goes on."""
    if entry is not None:
        AuditEntry.objects.filter(pk=entry.pk).update(ending=Ending.STARTED, words="")


def mirror(actor: Actor, verb: Verb, results: Iterable[Result], reason: str) -> None:
    """Write what was done into Django's admin log: an entry for each of the first hundred objects of a call."""
    done = [result.target for result in results if result.outcome is Outcome.DONE][:MAX_LISTED]
    if verb.model is None or not (done and actor.user_id and actor.user.is_authenticated):
        return
    content_type = ContentType.objects.get_for_model(verb.model)
    message = f"{verb.label}. {_without_secrets(reason)}".strip()
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=actor.user.pk,
            content_type=content_type,
            object_id=target,
            object_repr=target[:200],
            action_flag=DELETION if verb.local and verb.destroys else CHANGE,
            change_message=message,
        )
        for target in done
    )


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def listed_result(result: Result) -> list[Any]:
    """As JSON: target, outcome, words, seconds."""
    return [_text(result.target), str(result.outcome), _words(result.words), result.seconds]


def _text(text: str, length: int = MAX_TEXT) -> str:
    # PostgreSQL stores no NUL; what a user typed is not worth an error.
    return formatting.cut(text.replace("\0", ""), length)


def _words(text: str) -> str:
    """A sentence that may quote a worker, and with it whatever an exception had in it."""
    return str(_without_secrets(_text(text)))


def _bounded(parameters: dict[str, Any]) -> dict[str, Any]:
    """Each value as it is, or as the beginning of its JSON where that is long."""
    return {_text(str(name)): _bounded_value(value) for name, value in parameters.items()}


def _bounded_value(value: Any) -> Any:
    text = json.dumps(value, default=str)
    try:
        json.dumps(value, default=str, allow_nan=False)
    except ValueError:  # no database has NaN and infinity, which Python writes and reads
        return _text(text, MAX_VALUE)
    # PostgreSQL's JSON has no NUL either, and no half of a surrogate pair.
    if (
        len(text) > MAX_VALUE
        or "\\u0000" in text
        or not is_text(json.dumps(json.loads(text), ensure_ascii=False))
    ):
        return _text(text, MAX_VALUE)
    return json.loads(text)


def _without_secrets(value: Any) -> Any:
    return configured_redactor().value(value)
