"""The list that a task was opened from: its address travels in ``in=``, and leads to the next and the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ...models import Task
from ...queries.neighbours import neighbour
from ...queries.reading import OutOfTime, Reading
from ...queries.search.question import Question
from ...queries.sorting import Sort
from ...queries.task_list import Asked
from ...queries.visibility import Visibility

#: Longest query string of a list that is followed, in characters.
MAX_QUERY = 4_000
#: Parameters of a list that say where in it, not what is in it.
_PLACES = frozenset({"before", "after", "place"})
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class PlaceInList:
    """`query`: of the list, ready for a URL; `link`: what a link to another task of it ends in. `before`, `after`: what
    the links to the tasks beside this one end in. These are looked for when they are followed, since a filter that no
    index serves takes its time."""

    query: str
    link: str
    before: str
    after: str


def place_in_list(request: HttpRequest) -> PlaceInList | None:
    """None where the task was not opened from a list, or from one that cannot be asked again. Asks nothing."""
    pairs = _list_of(request)
    if pairs is None:
        return None
    listed = urlencode(pairs)
    before, after = (f"?{urlencode({'way': way, 'in': listed})}" for way in ("before", "after"))
    return PlaceInList(listed, f"?{urlencode({'in': listed})}", before, after)


def link_to_list(request: HttpRequest) -> str:
    """What a link to a task of the same list ends in; empty where there is no list."""
    place = place_in_list(request)
    return place.link if place is not None else ""


def beside(request: HttpRequest, task: Task, visibility: Visibility, with_payload: bool) -> tuple[str, str]:
    """The id of the task that ``way=before`` or ``way=after`` leads to, and, where that is the task itself, why."""
    backwards = request.GET.get("way") == "before"
    pairs = _list_of(request) or []
    asked = Asked(visibility, Question.read(pairs), with_payload)
    sort = Sort.parse(dict(pairs).get("sort"))
    try:
        with Reading() as reading:
            found = neighbour(asked, sort, task, reading, backwards=backwards)
    except OutOfTime:
        return task.task_id, _(
            "There was no time to find the task beside this one. Narrow the filter of the list."
        )
    if found is not None:
        return found, ""
    if backwards:
        return task.task_id, _("This is the first task of the list.")
    return task.task_id, _("This is the last task of the list.")


def list_query(parameters: Iterable[tuple[str, list[str]]]) -> str:
    """The query string of a list without the place in it, from ``request.GET.lists()``."""
    pairs = [(name, text) for name, texts in parameters for text in texts if text and name not in _PLACES]
    listed = urlencode(pairs)
    return listed if len(listed) <= MAX_QUERY else ""


def _list_of(request: HttpRequest) -> Pairs | None:
    given = request.GET.get("in")
    if given is None or len(given) > MAX_QUERY:
        return None
    return [(name, text) for name, text in parse_qsl(given, keep_blank_values=False) if name not in _PLACES]
