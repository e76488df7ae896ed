"""What is asked before tasks are run again: of one its arguments and queue, of several a rate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...arguments import read_typed
from ...celery_app import watched_app
from ...ingest.redaction import MARK, UNREADABLE
from ...queries import control
from ..known_arguments import Known, Source, looked_for
from ..parameters import JSONField, Parameters, ParametersForm
from ..unknown_values import Unknown, left_unknown, unknown_values
from .argument_rows import Rows, arguments_of, as_rows, named, rows_of
from .rerun_target import RerunTarget

#: Tasks per second of a bulk rerun, unless it is said otherwise, and what can be said.
RATE, LEAST_RATE, GREATEST_RATE = 10, 0.1, 1_000
#: Template of the arguments one by one.
ABOVE = "admin/monitoring/parts/argument_rows.html"


def not_replaced(known: Known, args: list[Any], kwargs: dict[str, Any]) -> dict[str, list[str]]:
    """What has still to be put into arguments that begin with what is `known`, by field, as sentences."""
    before = ([], {}) if known.source is not None else (known.args, known.kwargs)
    return _sentences(
        {
            "args": left_unknown(args, {}, before[0], {}),
            "kwargs": left_unknown([], kwargs, [], before[1]),
        }
    )


def _sentences(unknown: Mapping[str, Sequence[Unknown]]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for field, places in unknown.items():
        hidden = [place.path for place in places if not place.is_cut]
        cut = [place.path for place in places if place.is_cut]
        if hidden:
            words = _now(
                "Redacted before it was stored: %(places)s. Put the real value in the place of %(mark)s."
            )
            told.setdefault(field, []).append(words % {"places": named(hidden), "mark": MARK})
        if cut:
            words = _now("Cut before it was stored: %(places)s. Complete it.")
            told.setdefault(field, []).append(words % {"places": named(cut)})
    return told


def _unread(name: str) -> str:
    if name == "args":
        return _now("Nothing of them can be read here. Write them, or [] if there are none.")
    return _now("Nothing of them can be read here. Write them, or {} if there are none.")


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
        self._to_put_right: dict[str, list[str]] = {}
        self.rows: Rows | None = None
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
        else:
            self._mark(self._known())
            if not self.data.get("source"):
                self._show_rows(self.targets[0].known)

    def _begin(self, target: RerunTarget) -> None:
        known = looked_for(target.task, watched_app())
        begin = {
            name: "" if name in known.unread else json.dumps(value, ensure_ascii=False)
            for name, value in (("args", known.args), ("kwargs", known.kwargs))
        }
        if not any(name in self.initial for name in begin):
            self._to_put_right = {
                **not_replaced(known, known.args, known.kwargs),
                **{name: [_unread(name)] for name in known.unread},
            }
        self.initial = {
            **begin,
            "source": known.source or "",
            "queue": target.task.queue or "",
            **self.initial,
        }
        self._mark(known)
        self._show_rows(known)

    def _known(self) -> Known:
        """What the values are compared with that came back from the page: nothing where it began with exact ones."""
        return Known() if self.data.get("source") else self.targets[0].known

    def _mark(self, known: Known) -> None:
        """Let the page keep its button back until what stands for unknown values is gone (js/control/unknown.js)."""
        if known.source is not None:
            return
        for name, places in (
            ("args", unknown_values(known.args, {})),
            ("kwargs", unknown_values([], known.kwargs)),
        ):
            cut = dict.fromkeys(
                json.dumps(place.text, ensure_ascii=False) for place in places if place.is_cut
            )
            texts = {"redacted": [MARK, UNREADABLE], "cut": list(cut)}
            attributes = self.fields[name].widget.attrs
            attributes["data-unknown"] = json.dumps({} if name in known.unread else texts)
            attributes["data-words"] = _now("A value in it is not known yet")
            if name in known.unread:
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = _unread(name)

    def _show_rows(self, known: Known) -> None:
        """Let the page show the arguments one by one (js/control/rows.js)."""
        arguments = arguments_of(known)
        self.above, self.rows = ABOVE, rows_of(known, arguments)
        for name, some in arguments.items():
            if (rows := as_rows(some)) is not None:
                self.fields[name].widget.attrs["data-known"] = rows

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("args") is not None and not isinstance(values["args"], list):
            self.add_error("args", _now("Arguments are a JSON list"))
        if values.get("kwargs") is not None and not isinstance(values["kwargs"], dict):
            self.add_error("kwargs", _now("Keyword arguments are a JSON object"))
        if not self.errors:
            self._check(values.get("args"), values.get("kwargs"))
        queue = values.get("queue")
        if queue and not self.visibility.allows_queue(queue):
            self.add_error("queue", _now("Choose one of the queues that you may see"))
        return values

    def _check(self, args: list[Any] | None, kwargs: dict[str, Any] | None) -> None:
        known = self._known() if self.on_page and "args" in self.fields else Known()
        args, kwargs = args or [], kwargs or {}
        for name, words in not_replaced(known, args, kwargs).items():
            for sentence in words:
                self.add_error(name, sentence)
        try:
            read_typed(json.dumps([args, kwargs]))
        except ValueError:
            self.add_error(None, _now("A value that is marked with __type__ cannot be read"))

    def to_put_right(self) -> dict[str, list[str]]:
        return self._to_put_right

    def until_valid(self) -> Parameters:
        """Somebody looks at the arguments: that they are not known exactly is no reason to leave the task out."""
        return {"args": [], "kwargs": {}} if "args" in self.fields and len(self.targets) == 1 else {}

    def suggestions(self) -> dict[str, list[str]]:
        """Queues that a worker consumes."""
        return {"queue": sorted(q for q in control.consumed_queues() if self.visibility.allows_queue(q))}
