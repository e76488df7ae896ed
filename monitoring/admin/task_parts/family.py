"""A family as a tree and on one clock. Of a large one the rows that matter; the others are counted where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...models import Task
from ...queries.attempts import Attempt
from ...queries.families import Family
from ...queries.phases import Bar, phases_of
from ...queries.visibility import Visibility
from ...workflow import Workflow

#: States in which a task is over, and those that somebody should look at.
OVER = frozenset({"SUCCESS", "FAILURE", "REVOKED", "REJECTED", "LOST"})
TROUBLE = frozenset({"FAILURE", "LOST", "REJECTED", "RETRY", "REVOKED"})
#: States in which the clock of the family goes on.
RUNNING = frozenset({"STARTED", "RETRY"})
#: Rows that are all shown, and, of more, those around the task, of trouble, and at both ends.
ALL = 24
AROUND = 6
TROUBLED = 8
ENDS = 3
#: Levels of the tree that are drawn as such; deeper ones stand as deep as this.
MAX_INDENT = 8
#: Tasks that were not sent yet and are named behind one member.
EXPECTED = 10


@dataclass(frozen=True)
class Group:
    """A group of a workflow: its `number` on the page, how many of its members are here, and the chord that follows."""

    number: int
    size: int
    chord: str = ""


@dataclass(frozen=True)
class Expected:
    """A task that was not sent yet. It waits for `after`, the name of a task, or for the `group`; `never`: in vain."""

    name: str
    after: str = ""
    group: Group | None = None
    never: bool = False


@dataclass(frozen=True)
class FamilyRow:
    """A member, or, where `task` is None, one of: `more` members that are not shown, by state; the head of a `group`; a
    task that is `expected`. A member's `group` is the one that it is in.
    """

    task: Task | None
    depth: int = 0
    indent: int = 0
    is_this: bool = False
    bars: tuple[Bar, ...] = ()
    more: int = 0
    states: tuple[tuple[str, int], ...] = ()
    group: Group | None = None
    expected: Expected | None = None


@dataclass(frozen=True)
class FamilyPart:
    """`span`: when the clock begins and how many seconds it has. `has_workflow`: the plug-in told of groups, or of what
    follows.
    """

    family: Family
    rows: list[FamilyRow]
    shown: int
    folded: bool
    span: tuple[datetime, float]
    has_workflow: bool = False


def family_part(
    family: Family,
    task: Task,
    attempts: Sequence[Attempt],
    now: datetime,
    unfolded: bool,
    visibility: Visibility | None = None,
) -> FamilyPart:
    """`attempts`: of the task itself, which is drawn with each of them; of the others only their rows are read.

    `visibility`: of who reads it. Where it has patterns of queues, nothing is named that was not sent yet.
    """
    visibility = visibility or Visibility.everything()
    workflows = {each.task_id: _workflow(each, visibility) for each in family.members if each.workflow}
    groups = _groups(family.members, workflows)
    members = list(_in_tree_order(_groups_together(family.members, groups)))
    first = min(each.first_seen for each, _ in members)
    # What waits goes on to wait until the end of the clock, but does not move it.
    last = max(now if each.state in RUNNING else each.finished_at or each.updated_at for each, _ in members)
    seconds = max((last - first).total_seconds(), 0.001)
    folded = len(members) > ALL and not unfolded
    kept = _kept(members, task) if folded else set(range(len(members)))
    rows: list[FamilyRow] = []
    hidden: list[Task] = []
    headed: set[int] = set()
    for index, (each, depth) in enumerate(members):
        if index not in kept:
            hidden.append(each)
            continue
        rows += _more(hidden)
        hidden = []
        group = groups.get(each.task_id)
        if group is not None and group.number not in headed:
            headed.add(group.number)
            rows.append(FamilyRow(None, depth, min(depth, MAX_INDENT), group=group))
        is_this = each.task_id == task.task_id
        end = (each.finished_at or each.updated_at) if each.state in OVER else last
        stretches = _attempts(attempts, end) if is_this and attempts else _stretches(each, end)
        bars = tuple(_bars(stretches, first, seconds))
        rows.append(FamilyRow(each, depth, min(depth, MAX_INDENT), is_this, bars, group=group))
        rows += _expected_after(each, workflows.get(each.task_id), depth)
    rows += _more(hidden)
    rows += _expected_chords(family.members, groups)
    return FamilyPart(family, rows, len(kept), folded, (first, seconds), bool(workflows))


def _workflow(task: Task, visibility: Visibility) -> Workflow:
    found = Workflow.read(task.workflow)
    if visibility.is_everything:
        return found
    return found.only(lambda name: visibility.queues is None and visibility.allows_name(name))


def _groups(members: Sequence[Task], workflows: Mapping[str, Workflow]) -> dict[str, Group]:
    """The group of each member that is in one, numbered as they begin."""
    by_id: dict[str, list[str]] = {}
    for each in members:
        workflow = workflows.get(each.task_id)
        if workflow is not None and workflow.group:
            by_id.setdefault(workflow.group, []).append(each.task_id)
    found: dict[str, Group] = {}
    for number, ids in enumerate(by_id.values(), start=1):
        chord = next((workflows[key].chord for key in ids if workflows[key].chord), "")
        found |= dict.fromkeys(ids, Group(number, len(ids), chord))
    return found


def _groups_together(members: Sequence[Task], groups: Mapping[str, Group]) -> list[Task]:
    """Members of a group stand one behind the other, where its first stood."""
    first: dict[int, int] = {}
    for place, each in enumerate(members):
        if (group := groups.get(each.task_id)) is not None:
            first.setdefault(group.number, place)

    def place_of(numbered: tuple[int, Task]) -> tuple[int, int]:
        place, each = numbered
        group = groups.get(each.task_id)
        return (first[group.number] if group is not None else place), place

    return [each for _, each in sorted(enumerate(members), key=place_of)]


def _expected_after(task: Task, workflow: Workflow | None, depth: int) -> Iterator[FamilyRow]:
    """What is sent when `task` has succeeded: then it is a member, and expected no more."""
    if workflow is None or task.state == "SUCCESS":
        return
    never, after = task.state in OVER, task.name or task.task_id
    for name in workflow.callbacks[:EXPECTED]:
        yield _expected_row(Expected(name, after, never=never), depth + 1)
    for step, name in enumerate(workflow.chain[:EXPECTED], start=1):
        yield _expected_row(Expected(name, after, never=never), depth + step)
        after = name


def _expected_chords(members: Sequence[Task], groups: Mapping[str, Group]) -> Iterator[FamilyRow]:
    """Chords of groups whose task was not sent yet: none of its name is among the members."""
    names = {each.name for each in members}
    failed = {groups[each.task_id].number for each in members
              if each.task_id in groups and each.state in OVER and each.state != "SUCCESS"}  # fmt: skip
    for group in dict.fromkeys(groups.values()):
        if group.chord and group.chord not in names:
            yield _expected_row(Expected(group.chord, group=group, never=group.number in failed), 0)


def _expected_row(expected: Expected, depth: int) -> FamilyRow:
    return FamilyRow(None, depth, min(depth, MAX_INDENT), expected=expected)


def _in_tree_order(members: Sequence[Task]) -> Iterator[tuple[Task, int]]:
    """Each behind its parent, with its depth; brothers by time. A circle, which no real workflow has, is cut open."""
    present = {each.task_id for each in members}
    children: dict[str | None, list[Task]] = {}
    for each in members:
        parent = each.parent_id if each.parent_id in present and each.parent_id != each.task_id else None
        children.setdefault(parent, []).append(each)
    seen: set[str] = set()
    for start in [*children.get(None, ()), *members]:
        waiting = [(start, 0)]
        while waiting:
            each, depth = waiting.pop()
            if each.task_id in seen:
                continue
            seen.add(each.task_id)
            yield each, depth
            waiting += [(child, depth + 1) for child in reversed(children.get(each.task_id, ()))]


def _kept(members: Sequence[tuple[Task, int]], task: Task) -> set[int]:
    """Places of the rows that are shown: both ends, the way from the root, what is around the task, and trouble."""
    places = {each.task_id: place for place, (each, _) in enumerate(members)}
    this = places[task.task_id]
    kept = {*range(ENDS), *range(len(members) - ENDS, len(members))}
    kept |= set(range(max(0, this - AROUND), min(len(members), this + AROUND + 1)))
    above = task
    for _ in range(AROUND):
        place = places.get(above.parent_id or "")
        if place is None:
            break
        kept.add(place)
        above = members[place][0]
    troubled = [place for place, (each, _) in enumerate(members) if each.state in TROUBLE]
    running = [place for place, (each, _) in enumerate(members) if each.state == "STARTED"]
    return kept | set(troubled[:TROUBLED]) | set(running[:ENDS])


def _more(hidden: Sequence[Task]) -> list[FamilyRow]:
    if not hidden:
        return []
    states = Counter(each.state for each in hidden)
    return [FamilyRow(None, more=len(hidden), states=tuple(states.most_common()))]


def _attempts(attempts: Sequence[Attempt], end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    for attempt in attempts:
        for phase in phases_of(attempt, end):
            yield phase.kind, phase.start, phase.end


def _stretches(task: Task, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Where its time went, as far as the row of a task says: of earlier attempts only that there were some."""
    sent = task.sent_at or task.received_at or task.started_at or task.first_seen
    received = task.received_at or task.started_at
    started = task.started_at
    newest = task.attempt_started_at or started
    yield "queued", sent, received or end
    if received is not None:
        yield "held", received, started or end
    if started is not None and newest is not None:
        yield "earlier", started, newest
        yield "running", newest, end


def _bars(
    stretches: Iterable[tuple[str, datetime, datetime]], first: datetime, seconds: float
) -> Iterator[Bar]:
    for kind, begin, stop in stretches:
        if stop > begin:
            x = min(max(0.0, (begin - first).total_seconds() / seconds * 1000), 998.0)
            width = max(2.0, (stop - begin).total_seconds() / seconds * 1000)
            yield Bar(kind, round(x, 2), round(min(width, 1000.0 - x), 2))
