"""Keeping the groups of failures beside the minutes that were counted: new ones, and when and where they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connections

from monitoring.conf import monitoring_settings
from monitoring.ingest.stores.merging import chunks
from monitoring.models import DeployMark, FailureGroup, FailureSighting, Task
from monitoring.tracebacks.fingerprint import place_of
from monitoring.upkeep.statistics.counting import Buckets
from monitoring.upkeep.statistics.figures import Failure, Sighting

#: Fingerprints of one IN list: old SQLite takes 999 parameters.
_IDS = 900
#: How much older than the newest failure of its group an example may be.
EXAMPLE_AGE = timedelta(minutes=5)
#: Groups that get another example in one transaction: each reads a traceback.
EXAMPLES = 200
#: Tracebacks that are in memory at once.
_TRACEBACKS = 20
#: Sightings that are joined in one transaction; in one IN list, as above.
AT_ONCE = 500
#: Deploy marks that versions are looked for among, the newest ones.
MARKS = 200
Seen = tuple[datetime, datetime]

#: One look into the index on fingerprints for each; ``column1`` is what both databases call the first of VALUES.
_NEWEST = f"""SELECT (
  SELECT task_id FROM {Task._meta.db_table} WHERE fingerprint = wanted.column1 ORDER BY first_seen DESC LIMIT 1)
FROM (VALUES {{}}) AS wanted"""  # noqa: S608


def note_failures(using: str, buckets: Buckets) -> None:
    """Note the failures of minutes that were counted just now. Must run in the transaction that stores them.

    Noting again what was noted changes nothing; times only widen, so that a failure stays seen when its task runs again
    or is deleted. Cost: two reads and two writes of a row for each fingerprint, and for each place it was seen in; the
    newest deploy marks; for groups that are new, or whose example is old, a task by the index on fingerprints. Nothing
    where nothing failed.
    """
    sightings: dict[Sighting, Seen] = {}
    failures: dict[str, Failure] = {}
    for bucket in buckets.values():
        failures |= {each.fingerprint: each for each in bucket.failures if each.fingerprint}
        for sighting, seen in bucket.sightings.items():
            sightings[sighting] = _wider(seen, sightings.get(sighting))
    for fingerprints in chunks(sorted(failures), _IDS):
        chosen = set(fingerprints)
        here = {sighting: seen for sighting, seen in sightings.items() if sighting.fingerprint in chosen}
        _note_sightings(using, here)
        _note_groups(using, {each: failures[each] for each in fingerprints}, here)


def forget_workers(using: str, before: datetime) -> int:
    """Join the sightings of workers that were last seen before a time into one for each queue, which names none; how
    many were joined. Must run in a transaction. Cost: up to AT_ONCE rows by an index, and those of their queues.
    """
    rows = FailureSighting.objects.using(using)
    old = list(rows.filter(last_seen__lt=before).exclude(worker="").order_by("last_seen")[:AT_ONCE])
    joined: dict[Sighting, Seen] = {}
    for row in old:
        sighting = Sighting(row.fingerprint, row.queue, "")
        joined[sighting] = _wider((row.first_seen, row.last_seen), joined.get(sighting))
    _note_sightings(using, joined)
    rows.filter(pk__in=[row.pk for row in old]).delete()
    return len(old)


def _note_sightings(using: str, seen: Mapping[Sighting, Seen]) -> None:
    rows = FailureSighting.objects.using(using)
    known = {
        Sighting(*key): (first, last)
        for *key, first, last in rows.filter(fingerprint__in={each.fingerprint for each in seen}).values_list(
            *Sighting._fields, "first_seen", "last_seen"
        )
    }
    wider = {sighting: _wider(span, known.get(sighting)) for sighting, span in seen.items()}
    rows.bulk_create(
        [
            FailureSighting(**sighting._asdict(), first_seen=first, last_seen=last)
            for sighting, (first, last) in sorted(wider.items())
            if known.get(sighting) != (first, last)
        ],
        update_conflicts=True,
        unique_fields=Sighting._fields,
        update_fields=["first_seen", "last_seen"],
        batch_size=_IDS // 5,
    )


def _note_groups(using: str, failures: Mapping[str, Failure], seen: Mapping[Sighting, Seen]) -> None:
    rows = FailureGroup.objects.using(using)
    known = {group.pk: group for group in rows.filter(pk__in=failures)}
    changed: list[FailureGroup] = []
    for fingerprint, (first, last) in _by_fingerprint(seen).items():
        group = known.get(fingerprint)
        if group is None:
            failure = failures[fingerprint]
            group = FailureGroup(
                fingerprint=fingerprint,
                name=failure.name,
                exception_type=failure.exception_type,
                first_seen=first,
                last_seen=last,
            )
        elif group.first_seen <= first and group.last_seen >= last:
            continue
        group.first_seen, group.last_seen = _wider((first, last), (group.first_seen, group.last_seen))
        changed.append(group)
    _choose_examples(using, changed)
    _name_versions(using, changed)
    columns = [field.name for field in FailureGroup._meta.concrete_fields if not field.primary_key]
    rows.bulk_create(
        sorted(changed, key=lambda group: group.pk),
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=columns,
        batch_size=_IDS // (len(columns) + 1),
    )


def _choose_examples(using: str, groups: Iterable[FailureGroup]) -> None:
    old = [g for g in groups if g.example_at is None or g.last_seen - g.example_at > EXAMPLE_AGE][:EXAMPLES]
    groups_by_fingerprint = {group.pk: group for group in old}
    for task in _newest_tasks(using, list(groups_by_fingerprint)):
        group = groups_by_fingerprint[task.fingerprint]
        place = place_of(task.traceback, monitoring_settings.OWN_CODE)
        group.example_id, group.example_at = task.pk, task.finished_at
        if place is not None:
            group.path, group.line, group.function = place.path, place.line, place.function
            group.own_code = place.own


def _newest_tasks(using: str, fingerprints: Sequence[str]) -> Iterator[Task]:
    """The newest task of each fingerprint that has one; of the task what an example needs.

    One that consumers have changed between the two statements may have failed otherwise, or not at all any more: then
    it is no example of what it was looked up for.
    """
    if not fingerprints:
        return
    with connections[using].cursor() as cursor:
        cursor.execute(_NEWEST.format(", ".join(["(%s)"] * len(fingerprints))), fingerprints)
        ids = [task_id for (task_id,) in cursor.fetchall() if task_id is not None]
    tasks = Task.objects.using(using).only("fingerprint", "traceback", "finished_at")
    for some in chunks(ids, _TRACEBACKS):
        yield from tasks.filter(pk__in=some, fingerprint__in=fingerprints)


def _name_versions(using: str, groups: Sequence[FailureGroup]) -> None:
    """The deploy marks that were the newest when groups were first and last seen; an older one than MARKS stays."""
    if not groups:
        return
    marks = DeployMark.objects.using(using).filter(at__lte=max(group.last_seen for group in groups))
    newest = list(marks.order_by("-at", "-pk").values_list("at", "label")[:MARKS])
    for group in groups:
        for column, seen in (("first_version", group.first_seen), ("last_version", group.last_seen)):
            label = next((label for at, label in newest if at <= seen), None)
            if label is not None:
                setattr(group, column, label)


def _by_fingerprint(seen: Mapping[Sighting, Seen]) -> dict[str, Seen]:
    spans: dict[str, Seen] = {}
    for sighting, span in seen.items():
        spans[sighting.fingerprint] = _wider(span, spans.get(sighting.fingerprint))
    return spans


def _wider(one: Seen, other: Seen | None) -> Seen:
    return one if other is None else (min(one[0], other[0]), max(one[1], other[1]))
