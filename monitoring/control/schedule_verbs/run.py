"""Send what a schedule sends, now."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...celery_app import watched_app
from ...queries.visibility import Visibility
from ...schedules.entries import Entry, Message, Unreadable, message_of
from ..connecting import ConnectionLost, ControlUnavailable
from ..contract import Outcome, Result, Results
from ..parameters import Parameters
from ..sending import send_task
from ..task_verbs import task_names
from ..task_verbs.apply import observe_made
from ..tasks import not_there_words
from .targets import KIND, find, schedule_verb


def _why_not(entry: Entry) -> str:
    """The same settings that say which tasks may be started by hand."""
    if not entry.task:
        return _now("It names no task")
    return task_names.why_not(task_names.TaskName(entry.task))


def _run(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    found = find(ids, visibility)
    results: Results = {}
    for name in ids:
        if name not in found:
            results[name] = Result(name, Outcome.LEFT_OUT, not_there_words(KIND))
            continue
        try:
            results[name] = _send(name, message_of(watched_app(), found[name]))
        except Unreadable as error:
            words = _now("Its arguments cannot be read: %(error)s") % {"error": error}
            results[name] = Result(name, Outcome.FAILED, words)
        except ControlUnavailable as error:
            if not results:
                raise
            # What was sent before is told all the same.
            results[name] = Result(name, Outcome.FAILED, str(error))
        except Exception as error:  # arguments or options that Celery or the broker refuses: this one only
            words = _now("Not sent: %(error)s") % {"error": type(error).__name__}
            results[name] = Result(name, Outcome.FAILED, words)
    return results


def _send(name: str, message: Message) -> Result:
    try:
        task_id = send_task(watched_app(), message.task, message.args, message.kwargs, **message.options)
    except ConnectionLost as error:
        return Result(name, Outcome.UNCONFIRMED, str(error))
    return Result(name, Outcome.DONE, _now("Sent as %(id)s") % {"id": task_id}, made=task_id)


def _facts(
    targets: Sequence[Entry], parameters: Parameters, visibility: Visibility
) -> Sequence[tuple[str, str]]:
    return [(_now("Task"), ", ".join(dict.fromkeys(entry.task for entry in targets)))]


RUN = schedule_verb(
    name="schedule_run",
    label=_("Run now"),
    question=_("Run %(targets)s now?"),
    consequence=_(
        "Its task is sent once more, with the arguments and to the queue that it has in the schedule. When it is "
        "next due does not change."
    ),
    button=_("Run %(targets)s now"),
    safe_button=_("Leave it"),
    facts=_facts,
    happens=_("will be sent"),
    did=_("ran now"),
    why_not=_why_not,
    act=_run,
    observe=observe_made,
    is_answered=False,
    chunk=20,
)
