"""The filter in words: one chip for each part that has to hold, with the address of the list without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from ...queries.search.editing import remove
from ...queries.search.fields import FIELDS, Kind
from ...queries.search.printing import text_of, value_text
from ...queries.search.tree import Bound, Missing, Node, Range, Value, conjuncts, simple
from ...queries.search.values import stretch_of
from ...templatetags.monitoring_format import clock_words
from .address import ListAddress

_LONGEST = 200


@dataclass(frozen=True)
class Chip:
    """``state`` ``FAILURE or RETRY``; `without` is the list that is left when it is removed."""

    label: str
    value: str
    without: ListAddress

    @property
    def url(self) -> str:
        return self.without.url()


def chips(address: ListAddress) -> list[Chip]:
    """In the order of the filter; an OR or a parenthesis is one."""
    tree = address.question.tree
    return [Chip(*_words(node), address.with_tree(remove(tree, node))) for node in conjuncts(tree)]


def field_label(name: str) -> str:
    """A field of the search in plain words."""
    return {
        "name": _("task"),
        "exception_type": _("exception"),
        "exception": _("exception text"),
        "args": _("args"),
        "runtime": _("run time"),
        "first_seen": _("first seen"),
        "attempt_started": _("attempt started"),
    }.get(name, name)


def _words(node: Node) -> tuple[str, str]:
    found = simple(node)
    if found is None:
        return _("search"), _short(text_of(node))
    term, excluded = found
    values = _(" or ").join(_value(term.field, value) for value in term.values)
    return field_label(term.field), _short(_("not %(value)s") % {"value": values} if excluded else values)


def _value(field: str, value: Value) -> str:
    if isinstance(value, Missing):
        return _("none")
    if isinstance(value, Range):
        return _range_words(field, value)
    return "*".join(value.pieces)


def _range_words(field: str, value: Range) -> str:
    if FIELDS[field].kind is not Kind.TIME:
        return value_text(field, value).strip('"')
    low, high = value.low, value.high
    if low is not None and high is None and low.text.startswith("-") and low.inclusive:
        return _("last %(span)s") % {"span": low.text[1:]}
    if low is not None and low == high:
        return low.text
    start, end = _moment(low), _moment(high, end=True)
    if low is not None and high is not None:
        return _("%(since)s to %(until)s") % {"since": start, "until": end}
    return (
        _("since %(since)s") % {"since": start} if low is not None else _("until %(until)s") % {"until": end}
    )


def _moment(bound: Bound | None, *, end: bool = False) -> str:
    """A moment written in full as a clock of here; what is relative, or a whole day, as it was written."""
    if bound is None:
        return ""
    if ":" not in bound.text:
        return bound.text
    stretch = stretch_of(bound.text, timezone.now(), timezone.get_current_timezone())
    if stretch is None:
        return bound.text
    # The end of "14:42:18" is the second behind it, but people say the second itself.
    return clock_words(max(stretch[0], stretch[1] - timedelta(seconds=1)) if end else stretch[0])


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
