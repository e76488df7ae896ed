"""Arguments of a task one by one, as a page shows them: what each of them is worth, and which are not known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...formatting import number
from ..known_arguments import Known
from ..unknown_values import Unknown, unknown_in

#: Arguments in one box, and characters of it, that are shown one by one; of more the page shows the JSON alone.
MOST, MOST_CHARACTERS = 100, 20_000
#: Places without a value that are named.
NAMED = 8


class Worth(StrEnum):
    """UNCERTAIN: nothing in the value looks redacted or cut, and nothing proves that it is the task's own."""

    EXACT = "exact"
    UNCERTAIN = "uncertain"
    REDACTED = "redacted"
    CUT = "cut"


@dataclass(frozen=True)
class Argument:
    """`name` is its keyword, or ``args[0]``; `text` its value as JSON; `unknown` the places in it without a value."""

    name: str
    text: str
    worth: Worth
    unknown: Sequence[Unknown] = ()

    @property
    def stands_for_more(self) -> bool:
        """Whether it is no argument, but the place where keyword arguments were cut off."""
        return not self.name and self.worth is Worth.CUT


@dataclass(frozen=True)
class Rows:
    """What a page says above the rows, where a value is missing; and how many rows its script makes of a box."""

    lead: str
    causes: str
    most: int = MOST
    most_characters: int = MOST_CHARACTERS


def arguments_of(known: Known) -> dict[str, list[Argument]]:
    """Those of ``args`` and of ``kwargs``, in their order."""
    return {
        "args": [
            _argument(known, f"args[{index}]", value, unknown_in(value, f"args[{index}]"))
            for index, value in enumerate(known.args)
        ],
        "kwargs": [
            _argument(known, name, value, unknown_in({name: value}, ""))
            for name, value in known.kwargs.items()
        ],
    }


def as_rows(arguments: Sequence[Argument]) -> str | None:
    """What the page's script has to know of the arguments in one box, as JSON; None where they are too many."""
    if len(arguments) > MOST or sum(len(each.text) for each in arguments) > MOST_CHARACTERS:
        return None
    return json.dumps([{"name": each.name, "text": each.text, "worth": each.worth} for each in arguments])


def rows_of(known: Known, arguments: Mapping[str, Sequence[Argument]]) -> Rows:
    """Nothing is counted where a part of the arguments cannot be read at all: the form says so there."""
    found = [each for some in arguments.values() for each in some]
    missing = [each for each in found if each.unknown]
    if known.source is not None or known.unread or not missing:
        return Rows("", "")
    return Rows(_lead(found), ", ".join(_causes(missing)) + ".")


def named(paths: Sequence[str]) -> str:
    """Places in words, without those that stand there twice; of many the first."""
    paths = list(dict.fromkeys(paths))
    names = ", ".join(paths[:NAMED])
    more = len(paths) - NAMED
    return _("%(names)s and %(count)s more") % {"names": names, "count": number(more)} if more > 0 else names


def _argument(known: Known, name: str, value: Any, places: Iterator[Unknown]) -> Argument:
    if known.source is not None:
        return Argument(name, _json(value), Worth.EXACT)
    if unknown := list(places):
        worth = Worth.CUT if all(place.is_cut for place in unknown) else Worth.REDACTED
    else:
        worth = Worth.EXACT if known.rest_is_exact else Worth.UNCERTAIN
    return Argument(name, _json(value), worth, unknown)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lead(found: Sequence[Argument]) -> str:
    told = [each for each in found if not each.stands_for_more]
    missing, total = sum(bool(each.unknown) for each in told), len(told)
    if not missing:
        return _("Not all arguments are known.")
    if len(told) < len(found):
        words = ngettext(
            "%(missing)s of at least %(total)s arguments is not known.",
            "%(missing)s of at least %(total)s arguments are not known.",
            missing,
        )
    elif total == 1:
        return _("Its only argument is not known.")
    else:
        words = ngettext(
            "%(missing)s of %(total)s arguments is not known.",
            "%(missing)s of %(total)s arguments are not known.",
            missing,
        )
    return words % {"missing": number(missing), "total": number(total)}


def _causes(missing: Sequence[Argument]) -> Iterator[str]:
    places = [place for each in missing if not each.stands_for_more for place in each.unknown]
    redacted = [place.path for place in places if not place.is_cut]
    by_worker = [place.path for place in places if place.is_cut and not place.is_sure]
    before = [place.path for place in places if place.is_cut and place.is_sure]
    if redacted:
        words = ngettext(
            "%(names)s was redacted before it was stored",
            "%(names)s were redacted before they were stored",
            len(set(redacted)),
        )
        yield words % {"names": named(redacted)}
    if by_worker:
        words = ngettext(
            "%(names)s was cut by the worker", "%(names)s were cut by the worker", len(set(by_worker))
        )
        yield words % {"names": named(by_worker)}
    if before:
        words = ngettext(
            "%(names)s was cut before it was stored",
            "%(names)s were cut before they were stored",
            len(set(before)),
        )
        yield words % {"names": named(before)}
    if any(each.stands_for_more for each in missing):
        yield _("more were cut by the worker") if places else _("Some were cut by the worker")
