"""Run tasks again: the same name and arguments under a new id, paced where there are many."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...arguments import read_typed
from ...celery_app import watched_app
from ...conf import monitoring_settings
from ...formatting import number
from ...models import Rerun, Task
from ...models.task import State
from ...queries import control
from ...queries.reruns import newest_reruns
from ...queries.visibility import Visibility
from .. import phrases
from ..connecting import ControlUnavailable, control_connection
from ..contract import Outcome, Result, Results, Verb
from ..known_arguments import Source, lost
from ..parameters import Parameters
from ..sending import send_over
from ..tasks import gone
from .apply import observe_made
from .rerun_form import RATE, RerunForm, not_replaced
from .rerun_target import RerunTarget, find, waits_in, why_not

#: Of a bulk rerun: tasks of one chunk at most, and about how many seconds it takes. It can be stopped between two.
CHUNK, SECONDS_OF_CHUNK = 50, 1.0
#: Header of the new message that names the old task, for who reads messages.
HEADER = "rerun_of"


def _why_not_so(target: RerunTarget, parameters: Parameters) -> str:
    """Nothing is sent with arguments that nobody has looked at, unless they are exact."""
    if _are_given(parameters):
        return _still_unknown(target, parameters)
    if target.is_run_again and target.newest is not None:
        return _now("It was run again already, as %(id)s") % {"id": target.newest[0]}
    if target.known.source is None:
        return _now(
            "Its arguments are not known exactly. %(why)s. Run it again by itself, and look at them"
        ) % {"why": target.known.why}
    return ""


def _still_unknown(target: RerunTarget, parameters: Parameters) -> str:
    if parameters.get("source"):
        return ""
    found = not_replaced(target.known, parameters.get("args") or [], parameters.get("kwargs") or {})
    return " ".join(words for sentences in found.values() for words in sentences)


def _are_given(parameters: Parameters) -> bool:
    return "args" in parameters or "kwargs" in parameters


def _run_again(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """Send each, no faster than the rate; on one broker connection.

    A rerun is written down before it is sent: a process that ends in the middle never sends a task twice, and neither
    do two people who do the same at once.
    """
    app, targets = watched_app(), find(ids, visibility)
    results: Results = {}
    with control_connection(app, monitoring_settings.CONTROL_TIMEOUT, confirm=True) as connection:
        for task_id in _paced(ids, parameters.get("rate")):
            target = targets.get(task_id)
            words = "" if target is None else why_not(target) or _why_not_so(target, parameters)
            if target is None:
                results[task_id] = gone(task_id)
            elif words:
                results[task_id] = Result(task_id, Outcome.LEFT_OUT, words)
            else:
                results[task_id] = _sent(app, connection, target, parameters)
                if results[task_id].outcome is Outcome.UNCONFIRMED:
                    break
    unsent = _now("Not sent: the connection to the broker was lost before")
    return {task_id: results.get(task_id) or Result(task_id, Outcome.FAILED, unsent) for task_id in ids}


def _sent(app: Any, connection: Any, target: RerunTarget, parameters: Parameters) -> Result:
    task, new_id = target.task, str(uuid.uuid4())
    try:
        args, kwargs = _arguments(target, parameters)
    except ValueError:
        return Result(task.pk, Outcome.FAILED, _now("Its arguments cannot be read"))
    if words := _written_down(target, new_id, parameters):
        return Result(task.pk, Outcome.LEFT_OUT, words)
    queue = parameters.get("queue") or task.queue
    try:
        send_over(
            connection,
            app,
            str(task.name),
            args,
            kwargs,
            task_id=new_id,
            headers={HEADER: task.pk},
            serializer="json",
            **({"queue": queue} if queue else {}),
        )
    except ControlUnavailable as error:
        words = _now("Nobody knows whether it was sent, as %(id)s: %(error)s") % {
            "id": new_id,
            "error": error,
        }
        return Result(task.pk, Outcome.UNCONFIRMED, words, made=new_id)
    except (
        Exception
    ) as error:  # arguments, a queue or a header that Celery or the broker refuses: this one only
        Rerun.objects.filter(pk=new_id).delete()
        return Result(task.pk, Outcome.FAILED, _now("Not sent: %(error)s") % {"error": type(error).__name__})
    return Result(task.pk, Outcome.DONE, _now("Sent as %(id)s") % {"id": new_id}, made=new_id)


def _written_down(target: RerunTarget, new_id: str, parameters: Parameters) -> str:
    """Write the rerun down, or say why not: targets are found for a whole chunk, and others may be at it as well.

    The task's row is locked meanwhile, so that of two who look at once one sees what the other wrote.
    """
    task = target.task
    using = router.db_for_write(Rerun)
    with transaction.atomic(using=using):
        Task.objects.using(using).select_for_update().order_by().filter(pk=task.pk).values_list("pk").first()
        newest = newest_reruns([task.pk], using).get(task.pk)
        if words := _why_not_so(replace(target, newest=newest), parameters):
            return words
        Rerun.objects.using(using).create(task_id=new_id, rerun_of=task.pk, at=timezone.now())
    return ""


def _arguments(target: RerunTarget, parameters: Parameters) -> tuple[list[Any], dict[str, Any]]:
    if _are_given(parameters):
        given = [parameters.get("args", []), parameters.get("kwargs", {})]
    else:
        given = [target.known.args, target.known.kwargs]
    return read_typed(json.dumps(given))


def _paced(ids: Sequence[str], rate: float | None) -> Iterator[str]:
    """Each id when its time has come; comes back when that of the next would have come, for the chunk after this.

    What is late is not made up for: those behind it would come all at once.
    """
    due_at = time.monotonic()
    for task_id in ids:
        yield task_id
        if rate:
            due_at = max(due_at + 1 / rate, time.monotonic())
            time.sleep(max(0.0, due_at - time.monotonic()))


def _chunk(parameters: Parameters) -> int:
    return max(1, min(CHUNK, int(parameters.get("rate", RATE) * SECONDS_OF_CHUNK)))


def _facts(
    targets: Sequence[RerunTarget], parameters: Parameters, visibility: Visibility
) -> Sequence[tuple[str, str]]:
    if len(targets) != 1:
        return list(_lost_of_many(targets))
    target = targets[0]
    facts = [(_now("Arguments"), _standing(target, parameters)), *_lost(target)]
    if target.task.state == State.STARTED:
        facts.append((_now("It still runs"), _now("both will run at the same time")))
    if target.newest is not None:
        facts.append((_now("It was run again already"), _now("as %(id)s") % {"id": target.newest[0]}))
    if target.task.eta is not None or target.task.expires is not None:
        facts.append(
            (_now("Its ETA and expiry"), _now("are not repeated: it runs as soon as a worker takes it"))
        )
    queue = parameters.get("queue") or target.task.queue
    if queue and queue not in control.consumed_queues():
        words = _now("no worker that is online consumes it: the task waits until one does")
        facts.append((_now("Queue %(queue)s") % {"queue": queue}, words))
    return facts


def _standing(target: RerunTarget, parameters: Parameters) -> str:
    words: Mapping[str, str] = {
        Source.PLUG_IN: _now("exactly those of the task, as the plug-in of its worker told them"),
        Source.WORKER: _now("exactly those of the task, as its worker has them now"),
        Source.BACKEND: _now("exactly those of the task, as the result backend has them"),
        Source.REPR: _now("exactly those of the task, as its events say them in full"),
    }
    source = parameters.get("source") or (None if _are_given(parameters) else target.known.source)
    if source is not None:
        return words[source]
    return _now("Not known exactly. %(why)s") % {"why": target.known.why or _now("They were changed here")}


def _lost(target: RerunTarget) -> Iterator[tuple[str, str]]:
    """What hung on the task and does not follow its rerun."""
    found = lost(target.task)
    if target.task.arguments_are is None:
        yield (
            _now("Callbacks, chains, groups and chords"),
            _now("are not known here, since its worker has no plug-in: if it had any, they do not follow"),
        )
    for key, label, happens in (
        ("callbacks", _now("Its callbacks"), _now("%(names)s: are not called")),
        ("errbacks", _now("Its error callbacks"), _now("%(names)s: are not called")),
        ("chain", _now("The rest of its chain"), _now("%(names)s: does not follow")),
        ("chord", _now("Its chord"), _now("%(names)s: does not wait for it")),
        ("group", _now("Its group"), _now("%(names)s: it is no member")),
    ):
        value = found.get(key)
        names = value if isinstance(value, list) else [value] if value else []
        if names:
            yield label, happens % {"names": ", ".join(map(str, names))}


def _lost_of_many(targets: Sequence[RerunTarget]) -> Iterator[tuple[str, str]]:
    with_more = [target for target in targets if lost(target.task)]
    if with_more:
        count = len(with_more)
        yield (
            ngettext("%(count)s task", "%(count)s tasks", count) % {"count": number(count)},
            _now("had callbacks, a chain, a group or a chord, which do not follow"),
        )


def _tick(targets: Sequence[RerunTarget], parameters: Parameters, visibility: Visibility) -> str:
    if len(targets) != 1 or not _are_given(parameters) or parameters.get("source"):
        return ""
    return _now("I have looked at the arguments: they are what the task needs")


RERUN = Verb(
    name="rerun",
    label=_("Run again"),
    permission="monitoring.rerun_task",
    target_kind="task",
    destroys=False,
    **phrases.Phrases(
        phrases.tasks,
        lambda target: str(target.name),
        question=_("Run %(targets)s again?"),
        consequence=_(
            "A new task with an id of its own is sent, and what the old one has done stays done. Callbacks, chains, "
            "groups and chords of the old one do not follow the new one."
        ),
        button=_("Run %(targets)s again"),
        safe_button=_("Leave it"),
        facts=_facts,
        tick=_tick,
    ).fields(),
    happens=_("will be sent again, each under a new id"),
    did=_("ran again"),
    form=RerunForm,
    find=find,
    why_not=why_not,
    why_not_in=waits_in,
    why_not_so=_why_not_so,
    act=_run_again,
    observe=observe_made,
    is_answered=False,
    chunk=CHUNK,
    chunk_so=_chunk,
)
