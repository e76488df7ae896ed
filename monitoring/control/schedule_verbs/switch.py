"""Switch schedules of django-celery-beat on and off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...queries.visibility import Visibility
from ...schedules.entries import Entry, Source, rows_of
from ..contract import Outcome, Result, Results
from ..parameters import Parameters
from ..tasks import not_there_words
from .targets import KIND, schedule_verb

Act = Callable[[Sequence[str], Visibility, Parameters], Results]


def _why_not_on(entry: Entry) -> str:
    if words := _why_not(entry):
        return words
    return _now("It is on already") if entry.enabled else ""


def _why_not_off(entry: Entry) -> str:
    return _why_not(entry) or ("" if entry.enabled else _now("It is off already"))


def _why_not(entry: Entry) -> str:
    if entry.source is Source.SETTINGS:
        return _now(
            "It stands in beat_schedule of the project's settings, where nothing can be switched from here"
        )
    if entry.is_over:
        return _now("It was sent the one time that it was for, or has expired")
    return ""


def _switch(enabled: bool) -> Act:
    """As django-celery-beat's own admin does it, so that beat notices: ``save()`` of each row, and no UPDATE."""

    def act(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
        results: Results = {}
        using = rows_of(ids).db
        for name in ids:
            try:
                with transaction.atomic(using=using):
                    row = rows_of([name]).using(using).select_for_update().get()
                    row.enabled = enabled
                    row.save()
            except ValidationError as error:
                # What it has been given elsewhere does not go together.
                results[name] = Result(name, Outcome.FAILED, " ".join(error.messages))
            except ObjectDoesNotExist:
                results[name] = Result(name, Outcome.LEFT_OUT, not_there_words(KIND))
            else:
                results[name] = Result(name, Outcome.DONE)
        return results

    return act


ENABLE = schedule_verb(
    name="schedule_enable",
    label=_("Switch on"),
    question=_("Switch %(targets)s on?"),
    consequence=_("Beat sends it again when it is next due. What was due meanwhile is not made up for."),
    button=_("Switch %(targets)s on"),
    safe_button=_("Leave it off"),
    happens=_("will be switched on"),
    did=_("switched on"),
    why_not=_why_not_on,
    act=_switch(True),
)

DISABLE = schedule_verb(
    name="schedule_disable",
    label=_("Switch off"),
    question=_("Switch %(targets)s off?"),
    consequence=_("Beat sends it no more. A run that is under way goes on."),
    button=_("Switch %(targets)s off"),
    safe_button=_("Leave it on"),
    happens=_("will be switched off"),
    did=_("switched off"),
    why_not=_why_not_off,
    act=_switch(False),
)
