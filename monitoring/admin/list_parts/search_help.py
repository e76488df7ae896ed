"""The grammar of the search box, as the page explains it in place."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ...queries.search.fields import FIELDS, Kind


def examples(with_payload: bool) -> list[tuple[str, str]]:
    """A term, and what it means."""
    rows = [
        ("state:failure,retry", _("any of several")),
        ("-queue:default", _("everything but")),
        ("name:billing.*", _("starts with")),
        ("runtime:>10s retries:2..5", _("more than, between")),
        ("received:14:00..14:30", _("time on a chosen timestamp; also -1h")),
        ("root:9f31c2d4", _("one whole family")),
        ('queue:""', _("not known")),
        ("(a OR b) NOT c", _("AND, OR, NOT, parentheses")),
    ]
    if with_payload:
        rows.insert(3, ("args:48213", _("text inside the arguments")))
        rows.append(('"504 Gateway"', _("words in arguments, exception or result")))
    return rows


def fields(with_payload: bool) -> list[tuple[str, str, str]]:
    """Every field: its name, how its values are compared, an example."""
    words = {
        Kind.STATE: _("a state, in any case"),
        Kind.NAME: _("the whole name, or * for anything; case counts"),
        Kind.ID: _("the beginning of an id; of a UUID in any case"),
        Kind.TEXT: _("anywhere in the text, in any case"),
        Kind.DURATION: _("a duration: 85ms, 2s, 1m30s"),
        Kind.COUNT: _("a number"),
        Kind.TIME: _("a time: 2026-11-22, 14:18, -2h, now"),
    }
    return [
        (field.name, words[field.kind], field.example)
        for field in FIELDS.values()
        if with_payload or field.public
    ]
