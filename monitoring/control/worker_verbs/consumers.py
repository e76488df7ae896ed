"""Which queues a worker consumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...queries import control
from ...queries.visibility import Visibility
from .. import looking
from ..commands import sees, sends
from ..parameters import Parameters, ParametersForm
from ..phrases import told
from ..workers import WorkerTarget
from .pattern import Phrases, worker_verb

_LASTS = _("Lasts until the worker restarts. Start it with -Q to keep it.")


class QueueForm(ParametersForm):
    queue = forms.CharField(label=_("Queue"), max_length=255)

    def clean_queue(self) -> str:
        queue: str = self.cleaned_data["queue"]
        if not self.visibility.allows_queue(queue):
            raise forms.ValidationError(_("This queue is not among those that you may see"))
        return queue


class AddConsumerForm(QueueForm):
    exchange = forms.CharField(
        label=_("Exchange"), max_length=255, required=False, help_text=_("Empty: of the queue's name.")
    )
    exchange_type = forms.ChoiceField(
        label=_("Type of exchange"),
        required=False,
        choices=[("", _("direct, unless told")), *((kind, kind) for kind in ("direct", "topic", "fanout"))],
    )
    routing_key = forms.CharField(
        label=_("Routing key"), max_length=255, required=False, help_text=_("Empty: the queue's name.")
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        for name in ("exchange", "routing_key"):
            # They bring what is sent to other queues into this one.
            if values.get(name) not in (None, "", values.get("queue")) and self.visibility.queues is not None:
                self.add_error(name, _now("This is for users who may see all queues"))
        return values


class CancelConsumerForm(QueueForm):
    def suggestions(self) -> dict[str, list[str]]:
        """The queues that the workers consume."""
        queues = {queue for target in self.targets for queue in target.worker.queues or ()}
        return {"queue": sorted(queue for queue in queues if self.visibility.allows_queue(queue))}


def _only_consumer(targets: Sequence[WorkerTarget], parameters: Parameters, visibility: Visibility) -> str:
    queue = parameters.get("queue")
    if queue not in control.consumed_only_by(visibility, [target.name for target in targets]):
        return ""
    return _now("I know that nothing else consumes %(queue)s") % {"queue": queue}


def _consumed(now: set[str]) -> str:
    return _now("it consumes %(queues)s") % {"queues": ", ".join(sorted(now)) or _now("no queue")}


def _names(parameters: Parameters) -> dict[str, Any]:
    # What is missing the worker derives from the queue's name.
    return {"exchange": None, "exchange_type": None, "routing_key": None, **parameters}


ADD = worker_verb(
    Phrases(
        question=_("Let %(targets)s consume one queue more?"),
        question_so=_("Let %(targets)s consume %(queue)s?"),
        consequence=_(
            "A queue that does not exist is made. One that exists with other properties than the worker would give it, "
            "such as a quorum queue on a worker that makes classic ones, costs the worker its connection."
        ),
        button=_("Consume it"),
        button_so=_("Consume %(queue)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="add_consumer",
    label=_("Add consumer"),
    did=_("let it consume a queue"),
    did_so=told(_("let it consume %(queue)s")),
    lasts=_LASTS,
    form=AddConsumerForm,
    act=sends("add_consumer", _names),
    observe=sees(
        looking.queues,
        lambda before, now, parameters: parameters["queue"] in now,
        _consumed,
        ["active_queues"],
    ),
)

CANCEL = worker_verb(
    Phrases(
        question=_("Let %(targets)s consume one queue less?"),
        question_so=_("Let %(targets)s no longer consume %(queue)s?"),
        consequence=_(
            "What waits there stays until another worker consumes it. Tasks that it has are finished."
        ),
        button=_("Stop consuming"),
        button_so=_("Stop consuming %(queue)s"),
        safe_button=_("Go on consuming"),
        tick=_only_consumer,
    ),
    name="cancel_consumer",
    label=_("Cancel consumer"),
    did=_("let it no longer consume a queue"),
    did_so=told(_("let it no longer consume %(queue)s")),
    lasts=_LASTS,
    form=CancelConsumerForm,
    act=sends("cancel_consumer"),
    observe=sees(
        looking.queues,
        lambda before, now, parameters: parameters["queue"] not in now,
        _consumed,
        ["active_queues"],
    ),
)
