"""The audit log: who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from ..models import AuditEntry
from ..models.audit_entry import Ending
from .paging import Cursor, Page, page
from .task_filter import MAX_TEXT, parse_time
from .visibility import Visibility

#: How far back a task's statistics tell of changed limits, and how many of these they show.
DONE_WITHIN, DONE_SHOWN = timedelta(days=90), 5


@dataclass(frozen=True)
class AuditFilter:
    """Every part narrows; an empty one does not. `who` and `verb` are whole names, `target` is a whole id."""

    who: str = ""
    verb: str = ""
    ending: str = ""
    via: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> AuditFilter:
        """From the parameters ``who verb ending via target from to``; what is no result or time is left out."""
        words = {
            name: query.get(name, "").replace("\0", "").strip()[:MAX_TEXT]
            for name in ("who", "verb", "via", "target")
        }
        ending = query.get("ending", "")
        return cls(
            **words,
            ending=ending if ending in Ending.values else "",
            since=parse_time(query.get("from", "")),
            until=parse_time(query.get("to", "")),
        )

    def __bool__(self) -> bool:
        return self != AuditFilter()


def audit_entries(
    user: Any, visibility: Visibility, wanted: AuditFilter, cursor: Cursor | None
) -> Page[AuditEntry]:
    """A page of entries, newest first; a limited user sees their own only.

    Cost: the index on the time; a filter reads on through entries that it rejects, one for each use of a verb.
    """
    return page(_filtered(_visible(user, visibility), wanted), "at", cursor)


def every_audit_entry(
    user: Any, visibility: Visibility, wanted: AuditFilter
) -> Iterator[Sequence[AuditEntry]]:
    """All entries of :func:`audit_entries`, a page after the other. None that is written meanwhile is
    among them.

    Cost: a query for each page, each by the index on the time, so that memory is bounded and no transaction stays open.
    """
    found = audit_entries(user, visibility, wanted, None)
    while found.rows:
        yield found.rows
        if found.older is None:
            return
        found = audit_entries(user, visibility, wanted, found.older)


def audit_entry(user: Any, visibility: Visibility, key: str) -> AuditEntry | None:
    """One entry, or None where there is none that may be seen. Cost: the primary key."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    return _visible(user, visibility).filter(pk=int(key)).first()


def done_to_task_name(user: Any, visibility: Visibility, name: str, now: datetime) -> list[AuditEntry]:
    """The newest entries about limits of a task name on workers, of the last DONE_WITHIN; a limited user's own only.

    Cost: the index on the time.
    """
    entries = _visible(user, visibility).filter(
        at__gt=now - DONE_WITHIN, verb__in=("rate_limit", "time_limit"), parameters__task_name=name
    )
    return list(entries.order_by("-at", "-pk")[:DONE_SHOWN])


def audit_choices(user: Any, visibility: Visibility) -> tuple[list[str], list[str]]:
    """Names and verbs to choose from, of the newest 2,000 entries. Cost: the index on the time."""
    newest = _visible(user, visibility).order_by("-at", "-pk").values_list("user_name", "verb")[:2_000]
    names, verbs = set(), set()
    for name, verb in newest:
        names.add(name)
        verbs.add(verb)
    return sorted(names - {""}), sorted(verbs)


def _visible(user: Any, visibility: Visibility) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.all()
    # An entry tells of everybody's tasks: names of queues, ids, filters.
    return entries if visibility.is_everything else entries.filter(user_id=str(user.pk))


def _filtered(entries: QuerySet[AuditEntry], wanted: AuditFilter) -> QuerySet[AuditEntry]:
    exact = {"user_name": wanted.who, "verb": wanted.verb, "ending": wanted.ending, "via": wanted.via}
    entries = entries.filter(**{column: value for column, value in exact.items() if value})
    if wanted.target:
        entries = entries.filter(_names_target(wanted.target))
    if wanted.since is not None:
        entries = entries.filter(at__gte=wanted.since)
    if wanted.until is not None:
        entries = entries.filter(at__lte=wanted.until)
    return entries


def _names_target(target: str) -> Q | RawSQL:
    """Entries that list `target`. SQLite cannot ask whether a JSON list contains a text, but for each of its places."""
    if connections[AuditEntry.objects.db].vendor == "postgresql":
        return Q(targets__contains=[target])
    each = "EXISTS (SELECT 1 FROM json_each(monitoring_auditentry.targets) WHERE value = %s)"
    return RawSQL(each, [target], output_field=BooleanField())  # noqa: S611  the value is a parameter
