"""A verb on many tasks: asked, judged, confirmed, then done chunk by chunk.

Nothing runs in the background. Each request of the user who asked moves the run on by one chunk or a few: closing the
page halts it, opening it again goes on from there. A run needs no process of its own, and none that ends loses it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import BulkChunk, BulkRun
from ..models.bulk_run import RunState
from ..queries.selection import Selection, Stretch, mistake_words, stretch
from . import audit
from .actor import Actor
from .connecting import ControlUnavailable
from .contract import NotAllowed, Outcome, Results, Verb
from .dry_run import dry_run
from .parameters import Parameters
from .perform import act, authorise
from .verbs import VERBS

#: For the audit log, in the place of a filter that is empty.
ALL_TASKS = "(all tasks)"
#: Most ids that can be given by hand: what a form may carry (Django's DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_SELECTED = 1_000
#: Seconds after which a chunk counts as abandoned by the process that did it, and is done again.
CLAIM = timedelta(seconds=60)
#: How long runs are kept: those that nobody confirmed, and all others.
KEEP_ASKED, KEEP = timedelta(days=1), timedelta(days=30)


class NotReadable(Exception):
    """A filter cannot be read, so that nobody knows which tasks it means; the text says why."""


def ask(
    verb: Verb,
    selection: Selection,
    actor: Actor,
    parameters: Parameters | None = None,
    reason: str = "",
) -> BulkRun:
    """Judge a selection and keep the question, for :func:`confirm`.

    Raises NotAllowed, which the audit log then has, InvalidParameters, and NotReadable for a filter with a mistake in
    it.
    """
    given = selection.task_ids
    authorise(verb, actor, given or (), query=_query(selection), parameters=parameters, reason=reason)
    parameters = verb.read(parameters or {}, actor.visibility)
    words = mistake_words(selection, actor.visibility, with_payload=actor.with_payload)
    if words:
        raise NotReadable(words)
    _forget_old(actor, selection.asked_at)
    return BulkRun.objects.create(
        user_id=actor.user_id,
        verb=verb.name,
        parameters=dict(parameters),
        reason=reason,
        asked_at=selection.asked_at,
        task_ids=None if given is None else list(dict.fromkeys(given))[:MAX_SELECTED],
        query=selection.query,
        dry_run=dry_run(verb, selection, actor, parameters).as_json(),
    )


def run_of(actor: Actor, key: uuid.UUID) -> BulkRun | None:
    """A run of this user's own; nobody else sees or moves it."""
    return BulkRun.objects.filter(pk=key, user_id=actor.user_id).first() if actor.user_id else None


def confirm(run: BulkRun, actor: Actor, reason: str = "") -> None:
    """Begin, or go on with what was stopped. Raises NotAllowed."""
    verb, selection = VERBS[run.verb], selection_of(run)
    authorise(
        verb,
        actor,
        run.task_ids or (),
        query=_query(selection),
        parameters=run.parameters,
        reason=reason or run.reason,
    )
    with transaction.atomic(using=BulkRun.objects.db):
        began = BulkRun.objects.filter(pk=run.pk, state=RunState.ASKED).update(
            state=RunState.RUNNING, reason=reason or run.reason
        )
        if began:
            count = run.dry_run.get("expected")
            entry = audit.begin(
                actor,
                verb.name,
                verb.target_kind,
                run.task_ids or (),
                target_count=len(run.task_ids) if run.task_ids is not None else count or 0,
                query=_query(selection),
                parameters=run.parameters,
                reason=reason or run.reason,
            )
            BulkRun.objects.filter(pk=run.pk).update(audit=entry)
        elif BulkRun.objects.filter(pk=run.pk, state=RunState.STOPPED).update(
            state=RunState.RUNNING, words=""
        ):
            audit.resume(run.audit)
    run.refresh_from_db()


def stop(run: BulkRun, words: str = "") -> None:
    """Let no further chunk begin; one that is under way ends. It can be gone on with."""
    stopped = BulkRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.STOPPED, words=words or _("Stopped by hand")
    )
    run.refresh_from_db()
    if stopped and run.audit is not None:
        audit.finish(run.audit, run.words, stopped=True)


def advance(run: BulkRun, actor: Actor, *, seconds: float = 0.0, size: int | None = None) -> None:
    """Do the next chunk, and further ones for at most about `seconds`; `run` is brought up to date.

    Does nothing where the run is not running, or where another request has its chunk under way. Permission and
    visibility are those of this moment. Raises NotAllowed after stopping the run.
    """
    verb, until = VERBS[run.verb], time.monotonic() + seconds
    while run.state == RunState.RUNNING:
        try:
            authorise(verb, actor, query=run.query, parameters=run.parameters, reason=run.reason)
        except NotAllowed as missing:
            stop(run, str(missing))
            raise
        if not _claim(run):
            run.refresh_from_db()
            return
        try:
            _do_chunk(run, verb, actor, min(size or verb.chunk, verb.chunk_for(run.parameters)))
        except DatabaseError as error:
            BulkRun.objects.filter(pk=run.pk).update(claimed_until=None)
            stop(run, _("The database refused a chunk: %(error)s") % {"error": type(error).__name__})
            return
        except ControlUnavailable as error:
            BulkRun.objects.filter(pk=run.pk).update(claimed_until=None)
            stop(run, str(error))
            return
        run.refresh_from_db()
        if time.monotonic() >= until:
            return


def try_one(run: BulkRun, actor: Actor, *, seconds: float = 5.0) -> None:
    """Go on until one target was acted on, for at most about `seconds`, and stop there. Raises as :func:`advance`."""
    until, before = time.monotonic() + seconds, run.done + run.failed
    while run.state == RunState.RUNNING and run.done + run.failed == before and time.monotonic() < until:
        advance(run, actor, size=1)
    stop(run, _("Stopped after the first"))


def _claim(run: BulkRun) -> bool:
    """Take the next chunk for this request: of several that ask at once, one gets it."""
    now = timezone.now()
    claimed = BulkRun.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now),
        pk=run.pk,
        state=RunState.RUNNING,
        chunks=run.chunks,
        place=run.place,
    )
    return bool(claimed.update(claimed_until=now + CLAIM))


def _do_chunk(run: BulkRun, verb: Verb, actor: Actor, size: int) -> None:
    assert run.audit is not None, "confirm() wrote it"
    part = stretch(selection_of(run), actor.visibility, run.place, size, with_payload=actor.with_payload)
    watch = audit.Stopwatch()
    # What only changes rows of the same database is one transaction with its result: never one without the other.
    with transaction.atomic(using=BulkRun.objects.db) if verb.local else nullcontext():
        results = act(verb, part.ids, actor, run.parameters, run.reason, run.audit) if part.ids else {}
        _record(run, part, results, watch.seconds)
        if part.place is None:
            audit.finish(run.audit)


def _record(run: BulkRun, part: Stretch, results: Results, seconds: float) -> None:
    counts = [result.outcome for result in results.values()]
    with transaction.atomic(using=BulkRun.objects.db):
        if results:
            BulkChunk.objects.create(run=run, number=run.chunks, results=[
                [result.target, str(result.outcome), result.words] for result in results.values()
            ])  # fmt: skip
        BulkRun.objects.filter(pk=run.pk).update(
            chunks=F("chunks") + 1,
            place=part.place or run.place,
            claimed_until=None,
            seconds=F("seconds") + seconds,
            done=F("done") + counts.count(Outcome.DONE),
            left_out=F("left_out") + counts.count(Outcome.LEFT_OUT),
            failed=F("failed") + counts.count(Outcome.FAILED) + counts.count(Outcome.UNCONFIRMED),
        )
        if part.place is None:
            BulkRun.objects.filter(pk=run.pk).update(state=RunState.DONE, words="")


def selection_of(run: BulkRun) -> Selection:
    ids: Sequence[str] | None = run.task_ids
    return Selection(run.asked_at, None if ids is None else tuple(ids), run.query)


def _query(selection: Selection) -> str:
    """For the audit log: the filter; empty where ids were given."""
    return "" if selection.task_ids is not None else selection.query or ALL_TASKS


def _forget_old(actor: Actor, now: datetime) -> None:
    """Delete what is too old of this user's runs; their audit entries stay. Cost: an index, and few rows."""
    old = Q(asked_at__lt=now - KEEP) | Q(asked_at__lt=now - KEEP_ASKED, state=RunState.ASKED)
    BulkRun.objects.filter(old, user_id=actor.user_id).delete()
