"""Write down what is known about a group of failures, and who looks after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ..actor import Actor
from ..contract import Results
from ..failures import decide
from ..parameters import Parameters, ParametersForm
from .pattern import Phrases, failure_verb

#: Characters of a note.
LONGEST_NOTE = 2_000
#: Names that the form suggests.
SUGGESTED = 100


class NoteForm(ParametersForm):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        help_text=_("Everybody who sees the group reads it. Empty: the note is taken away."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        if len(self.targets) == 1 and not self.initial.get("note"):
            self.initial["note"] = self.targets[0].triage.note

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"].replace("\0", "")
        return note


class AssignForm(ParametersForm):
    assignee = forms.CharField(
        label=_("To"),
        required=False,
        max_length=254,
        help_text=_("The name that somebody of the staff signs in with. Empty: nobody."),
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        if len(self.targets) == 1 and not self.initial.get("assignee"):
            self.initial["assignee"] = self.targets[0].triage.assignee

    def suggestions(self) -> dict[str, list[str]]:
        name = get_user_model().USERNAME_FIELD
        return {
            "assignee": [
                str(each) for each in _staff().order_by(name).values_list(name, flat=True)[:SUGGESTED]
            ]
        }

    def clean_assignee(self) -> str:
        wanted: str = self.cleaned_data["assignee"].replace("\0", "").strip()
        if wanted and _user(wanted) is None:
            raise forms.ValidationError(_now("Nobody of the staff signs in with this name"))
        return wanted


def _staff() -> Any:
    return get_user_model()._default_manager.filter(is_active=True, is_staff=True)


def _user(name: str) -> Any:
    return _staff().filter(**{get_user_model().USERNAME_FIELD: name}).first()


def _note(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    note = parameters.get("note", "")
    by, at = (actor.user_name, timezone.now()) if note else ("", None)
    return decide(ids, note=note, noted_by=by, noted_at=at)


def _assign(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    name = parameters.get("assignee", "")
    user = _user(name) if name else None
    return decide(
        ids, assignee=name if user is not None else "", assignee_id=str(user.pk) if user is not None else ""
    )


NOTE = failure_verb(
    Phrases(
        question=_("What is known about %(targets)s?"),
        consequence=_("The note takes the place of the one that is there."),
        button=_("Keep the note"),
        safe_button=_("Leave it as it is"),
    ),
    name="failure_note",
    label=_("Note"),
    happens=_("will have this note"),
    did=_("wrote a note on the failures"),
    act_as=_note,
    form=NoteForm,
)

ASSIGN = failure_verb(
    Phrases(
        question=_("Who looks after %(targets)s?"),
        consequence=_("Their name stands beside it. Nobody is told by a message."),
        button=_("Assign %(targets)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="failure_assign",
    label=_("Assign"),
    happens=_("will be assigned"),
    did=_("assigned the failures"),
    act_as=_assign,
    form=AssignForm,
)
