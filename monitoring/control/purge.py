"""Delete every message that waits in a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .. import formatting
from ..brokers import adapter_for
from ..celery_app import watched_app
from ..conf import monitoring_settings
from ..models import Queue
from ..queries.queues import queue
from ..queries.visibility import Visibility
from . import phrases
from .contract import Outcome, Result, Results, Verb
from .parameters import Parameters, ParametersForm


def _queues(count: int) -> str:
    return ngettext("%(count)s queue", "%(count)s queues", count) % {"count": formatting.number(count)}


class PurgeForm(ParametersForm):
    name = forms.CharField(
        label=_("Name of the queue"),
        max_length=255,
        strip=False,
        help_text=_("Type it, so that no other queue is meant."),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.targets and name not in {target.name for target in self.targets}:
            raise forms.ValidationError(_("This is not the name of the queue"))
        return name

    def until_valid(self) -> Parameters:
        return {"name": self.targets[0].name} if self.targets else {}


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, Queue]:
    """Those of the queues that are known and may be seen. Cost: a primary key each."""
    found = {name: queue(visibility, name) for name in ids}
    return {name: one for name, one in found.items() if one is not None}


def why_not(target: Queue) -> str:
    if target.exists is False:
        return _now("The broker knows no queue %(queue)s") % {"queue": target.name}
    if target.ready == 0:
        return _now("Nothing waits in %(queue)s") % {"queue": target.name}
    return ""


def _is_another(target: Queue, parameters: Parameters) -> str:
    if parameters.get("name") == target.name:
        return ""
    return _now("The name that was typed is not that of %(queue)s") % {"queue": target.name}


def _purge(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """Raises BrokerUnavailable."""
    adapter = adapter_for(watched_app())
    results = {}
    for name in ids:
        try:
            count = adapter.purge(name, monitoring_settings.CONTROL_TIMEOUT)
        except LookupError:
            words = _now("The broker knows no queue %(queue)s") % {"queue": name}
            results[name] = Result(name, Outcome.FAILED, words)
            continue
        # Rates and ages are of before; the next reading tells the rest.
        Queue.objects.filter(pk=name).update(ready=0, oldest_sent_at=None, growth=None)
        words = ngettext("%(count)s message was deleted", "%(count)s messages were deleted", count)
        results[name] = Result(name, Outcome.DONE, words % {"count": formatting.number(count)})
    return results


def _facts(
    targets: Sequence[Any], parameters: Parameters, visibility: Visibility
) -> Sequence[tuple[str, str]]:
    waiting = sum(target.ready or 0 for target in targets)
    known = any(target.ready is not None for target in targets)
    with_workers = sum(target.unacked or 0 for target in targets)
    label = (
        _now("%(count)s that wait") % {"count": formatting.number(waiting)} if known else _now("What waits")
    )
    having = (
        _now("%(count)s that workers have") % {"count": formatting.number(with_workers)}
        if with_workers
        else _now("What workers have")
    )
    return [
        (label, _now("are deleted: these tasks never run, and stay PENDING here")),
        (having, _now("are not touched")),
        (_now("Cannot be undone"), _now("nobody keeps a copy of the messages")),
    ]


_PHRASES = phrases.Phrases(
    noun=_queues,
    name_of=lambda target: target.name,
    question=_("Purge %(targets)s?"),
    button=_("Purge %(targets)s"),
    consequence=_("Every message that waits there is deleted from the broker for good."),
    safe_button=_("Keep the messages"),
    facts=_facts,
)

PURGE = Verb(
    name="purge",
    label=_("Purge"),
    permission="monitoring.purge_queue",
    target_kind="queue",
    destroys=True,
    happens=_("will be emptied"),
    did=_("purged"),
    find=find,
    why_not=why_not,
    why_not_so=_is_another,
    act=_purge,
    form=PurgeForm,
    **_PHRASES.fields(),
)
