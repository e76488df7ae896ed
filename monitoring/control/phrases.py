"""Texts of verbs from templates: ``%(targets)s`` is who it is about, every parameter stands under its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..formatting import number
from ..queries.visibility import Visibility
from .contract import Confirmation
from .parameters import Parameters

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


_NAMES = re.compile(r"%\((\w+)\)")


class _Shown(dict[str, Any]):
    """Parameters in a template; one that was not given is an empty text."""

    def __missing__(self, name: str) -> str:
        return ""


class About(int):
    """A number of targets that is an estimate: where a verb takes a number, its texts say so."""


class MoreThan(int):
    """A number of targets beyond which nobody has counted."""


def counted(count: int) -> str:
    """``7,135``, ``about 7,135``, ``more than 7,135``."""
    words = number(int(count))
    if isinstance(count, About):
        return _("about %(number)s") % {"number": words}
    if isinstance(count, MoreThan):
        return _("more than %(number)s") % {"number": words}
    return words


def tasks(count: int) -> str:
    return ngettext("%(count)s task", "%(count)s tasks", count) % {"count": counted(count)}


def workers(count: int) -> str:
    return ngettext("%(count)s worker", "%(count)s workers", count) % {"count": counted(count)}


def filled(template: StrPromise | str, targets: str, parameters: Parameters) -> str:
    return str(template) % _Shown({"targets": targets, **parameters})


def told(template: StrPromise) -> Callable[[Parameters], str]:
    """The `did_so` of a verb; what an old entry of the audit log lacks is an empty text."""
    return lambda parameters: filled(template, "", parameters)


def _known(template: StrPromise | None, parameters: Parameters) -> StrPromise | None:
    """`template`, unless it would have an empty place."""
    names = set(_NAMES.findall(str(template or ""))) - {"targets"}
    return template if names <= parameters.keys() else None


@dataclass(frozen=True)
class Phrases:
    """`question` and `button` know only how many targets there are, `question_so` and `button_so` the parameters too:
    they stand where all that they name is known, which it is not before the form was filled in.

    `noun` says a number of targets, `name_of` one of them. `facts` and `tick` are as in :class:`Confirmation`.
    """

    noun: Callable[[int], str]
    name_of: Callable[[Any], str]
    question: StrPromise
    button: StrPromise
    consequence: StrPromise
    safe_button: StrPromise
    question_so: StrPromise | None = None
    button_so: StrPromise | None = None
    facts: Callable[[Sequence[Any], Parameters, Visibility], Sequence[tuple[str, str]]] | None = None
    tick: Callable[[Sequence[Any], Parameters, Visibility], str] | None = None

    def ask(self, count: int) -> str:
        return filled(self.question, self.noun(count), {})

    def answer(self, count: int) -> str:
        return filled(self.button, self.noun(count), {})

    def confirm(self, targets: Sequence[Any], parameters: Parameters, visibility: Visibility) -> Confirmation:
        named = self.name_of(targets[0]) if len(targets) == 1 else self.noun(len(targets))
        return Confirmation(
            question=filled(_known(self.question_so, parameters) or self.question, named, parameters),
            consequence=filled(self.consequence, named, parameters),
            button=filled(_known(self.button_so, parameters) or self.button, named, parameters),
            safe_button=str(self.safe_button),
            facts=self.facts(targets, parameters, visibility) if self.facts else (),
            tick=self.tick(targets, parameters, visibility) if self.tick else "",
        )

    def fields(self) -> dict[str, Any]:
        """Of a Verb."""
        return {
            "question": self.ask,
            "button": self.answer,
            "consequence": self.consequence,
            "safe_button": self.safe_button,
            "confirm": self.confirm,
        }
