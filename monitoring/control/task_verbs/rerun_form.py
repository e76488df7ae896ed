"""What is asked before tasks are run again: of one its arguments and queue, of several a rate."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...arguments import read_typed
from ...celery_app import watched_app
from ...ingest.redaction import MARK, UNREADABLE
from ...queries import control
from ..known_arguments import Source, looked_for
from ..parameters import JSONField, Parameters, ParametersForm
from .rerun_target import RerunTarget

#: Tasks per second of a bulk rerun, unless it is said otherwise, and what can be said.
RATE, LEAST_RATE, GREATEST_RATE = 10, 0.1, 1_000


class ValueField(JSONField):
    """An empty list is a value: a task without arguments."""

    empty_values = [None, ""]  # as Django has it


class RerunForm(ParametersForm):
    """Of one task, for who may read payloads, it begins with what is known of the arguments.

    ``source`` tells where they come from if they are exact, and is empty where somebody has to look at them.
    """

    args = ValueField(
        label=_("Arguments"), required=False, help_text=_('A JSON list, such as [48213, "EUR"].')
    )
    kwargs = ValueField(
        label=_("Keyword arguments"),
        required=False,
        help_text=_(
            'A JSON object, such as {"order_id": 48213}. Dates and the like are written as '
            '{"__type__": "date", "__value__": "2026-11-23"}.'
        ),
    )
    queue = forms.CharField(
        label=_("Queue"), max_length=255, required=False, help_text=_("Empty: the one that it came from.")
    )
    rate = forms.FloatField(
        label=_("Tasks per second"),
        required=False,
        min_value=LEAST_RATE,
        max_value=GREATEST_RATE,
        help_text=_("They are sent one after the other, no faster than this."),
    )
    source = forms.ChoiceField(
        choices=[("", ""), *((source.value, source.value) for source in Source)],
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.on_page:
            return
        is_one = len(self.targets) == 1
        if is_one:
            del self.fields["rate"]
        else:
            self.fields["rate"].initial = RATE
        if not (is_one and self.with_payload):
            for name in ("args", "kwargs", "source"):
                del self.fields[name]
        elif not self.is_bound:
            self._begin(self.targets[0])

    def _begin(self, target: RerunTarget) -> None:
        known = looked_for(target.task, watched_app())
        begin = {
            "args": json.dumps(known.args, ensure_ascii=False),
            "kwargs": json.dumps(known.kwargs, ensure_ascii=False),
            "source": known.source or "",
        }
        self.initial = {**begin, "queue": target.task.queue or "", **self.initial}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("args") is not None and not isinstance(values["args"], list):
            self.add_error("args", _now("Arguments are a JSON list"))
        if values.get("kwargs") is not None and not isinstance(values["kwargs"], dict):
            self.add_error("kwargs", _now("Keyword arguments are a JSON object"))
        if not self.errors and (values.get("args") or values.get("kwargs")):
            self._check(values.get("args") or [], values.get("kwargs") or {})
        queue = values.get("queue")
        if queue and not self.visibility.allows_queue(queue):
            self.add_error("queue", _now("Choose one of the queues that you may see"))
        return values

    def _check(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        for name, value in (("args", args), ("kwargs", kwargs)):
            text = json.dumps(value, ensure_ascii=False)
            if MARK in text or UNREADABLE in text:
                words = _now("Put the real value in the place of %(mark)s") % {"mark": MARK}
                self.add_error(name, words)
        try:
            read_typed(json.dumps([args, kwargs]))
        except ValueError:
            self.add_error(None, _now("A value that is marked with __type__ cannot be read"))

    def until_valid(self) -> Parameters:
        """Somebody looks at the arguments: that they are not known exactly is no reason to leave the task out."""
        return {"args": [], "kwargs": {}} if "args" in self.fields and len(self.targets) == 1 else {}

    def suggestions(self) -> dict[str, list[str]]:
        """Queues that a worker consumes."""
        return {"queue": sorted(q for q in control.consumed_queues() if self.visibility.allows_queue(q))}
