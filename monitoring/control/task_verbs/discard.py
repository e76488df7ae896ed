"""Take the message of a task that waits out of its queue, where the broker can do that to a single one."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...brokers import adapter_for
from ...celery_app import watched_app
from ...conf import monitoring_settings
from ...formatting import number
from ...models import Task
from ...models.task import State
from ...queries.visibility import Visibility
from .. import phrases
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
    """One look through its queue for each. Raises BrokerUnavailable."""
    adapter = adapter_for(watched_app())
    tasks = find(ids, visibility)
    results = {}
    for task_id in ids:
        task = tasks.get(task_id)
        if task is None or not task.queue:
            results[task_id] = gone(task_id)
        elif not adapter.supports_remove:
            words = _now("This broker cannot take a single message out of a queue: revoke the task instead")
            results[task_id] = Result(task_id, Outcome.LEFT_OUT, words)
        elif adapter.remove(task.queue, task_id, monitoring_settings.CONTROL_TIMEOUT):
            words = _now("Taken out of %(queue)s") % {"queue": task.queue}
            results[task_id] = Result(task_id, Outcome.DONE, words)
        else:
            words = _now("It does not wait in %(queue)s any more") % {"queue": task.queue}
            results[task_id] = Result(task_id, Outcome.LEFT_OUT, words)
    return results


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
