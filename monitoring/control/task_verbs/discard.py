"""Take the message of a task that waits out of its queue, where the broker can do that to a single one."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...brokers import BrokerAdapter, adapter_for
from ...celery_app import watched_app
from ...conf import monitoring_settings
from ...formatting import number
from ...models import Task
from ...models.task import State
from ...queries.visibility import Visibility
from .. import phrases
from ..connecting import ConnectionLost, ControlUnavailable
from ..contract import Outcome, Result, Results, Verb
from ..parameters import Parameters
from ..tasks import find, gone


def _messages(count: int) -> str:
    return ngettext("the message of %(count)s task", "the messages of %(count)s tasks", count) % {
        "count": number(count)
    }


def why_not(task: Task) -> str:
    if task.state != State.PENDING:
        return _now("It no longer waits in a queue: a worker has taken it")
    return "" if task.queue else _now("Nothing is known of the queue that it was sent to")


def _discard(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """One look through its queue for each. Raises ControlUnavailable where that cannot be had for the first."""
    adapter = adapter_for(watched_app())
    tasks = find(ids, visibility)
    results: Results = {}
    for task_id in ids:
        try:
            results[task_id] = _taken_out(adapter, task_id, tasks.get(task_id))
        except ConnectionLost as error:
            results[task_id] = Result(task_id, Outcome.UNCONFIRMED, str(error))
            break
        except ControlUnavailable as error:
            if not results:
                raise
            # What was taken out before is told all the same.
            results[task_id] = Result(task_id, Outcome.FAILED, str(error))
            break
    untouched = _now("Not looked for: the broker went away before")
    return {key: results.get(key) or Result(key, Outcome.FAILED, untouched) for key in ids}


def _taken_out(adapter: BrokerAdapter, task_id: str, task: Task | None) -> Result:
    if task is None or not task.queue:
        return gone(task_id)
    if not adapter.supports_remove:
        words = _now("This broker cannot take a single message out of a queue: revoke the task instead")
        return Result(task_id, Outcome.LEFT_OUT, words)
    match adapter.remove(task.queue, task_id, monitoring_settings.CONTROL_TIMEOUT):
        case True:
            outcome, words = Outcome.DONE, _now("Taken out of %(queue)s")
        case False:
            outcome, words = Outcome.LEFT_OUT, _now("It does not wait in %(queue)s any more")
        case _:
            outcome = Outcome.FAILED
            words = _now(
                "So many messages wait in %(queue)s that it was not found in time: revoke the task instead"
            )
    return Result(task_id, outcome, words % {"queue": task.queue})


_PHRASES = phrases.Phrases(
    noun=_messages,
    name_of=lambda task: task.task_id,
    question=_("Take %(targets)s out of the queue?"),
    question_so=_("Take the message of %(targets)s out of its queue?"),
    button=_("Take %(targets)s out"),
    button_so=_("Take it out"),
    consequence=_(
        "The message is deleted from the broker for good: the task never runs, and stays PENDING here."
    ),
    safe_button=_("Leave it in the queue"),
)

DISCARD = Verb(
    name="discard",
    label=_("Take out"),
    permission="monitoring.purge_queue",
    target_kind="message",
    destroys=True,
    happens=_("will be taken out of their queues"),
    did=_("took the message out of its queue"),
    find=find,
    why_not=why_not,
    act=_discard,
    chunk=100,
    **_PHRASES.fields(),
)
