"""The page of schedules: what its template needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import formatting
from ..conf import monitoring_settings
from ..control.schedule_verbs import targets
from ..queries.runs import Runs
from ..queries.schedules import NotJudged, Schedules, ScheduleState, Standing, schedules
from ..queries.visibility import Visibility
from ..queries.worker_presence import Presence
from .control_actions import Action, actions_for, here
from .schedule_timeline import timeline
from .task_parts.runs import RunsPart, runs_part
from .url_query import with_parameters

#: What the page can be narrowed to, in the order of its control.
SHOWN: dict[str, Callable[[ScheduleState], bool]] = {
    "": lambda state: True,
    "failing": lambda state: state.enabled and state.is_failing,
    "missed": lambda state: state.enabled and bool(state.missed_count or state.overdue),
    "off": lambda state: not state.enabled or state.standing is Standing.OVER,
}
SORTS = ("", "name", "next")
_VERBS = ("schedule_run", "schedule_enable", "schedule_disable")
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Tag:
    """A word beside the name, why it is there, and whether it asks for action: ``bad``, ``warn`` or empty."""

    words: str
    title: str
    kind: str = ""


@dataclass(frozen=True)
class ScheduleLine:
    """`switch` is the verb that turns it over, `run` the one that runs it; None without the permission."""

    state: ScheduleState
    tags: list[Tag]
    trend: RunsPart | None
    run: Action | None
    switch: Action | None
    edit_url: str
    usual: float | None


def schedule_page(
    request: HttpRequest, visibility: Visibility, presence: Presence, site_name: str
) -> dict[str, Any]:
    """`request.GET`: ``show``, ``sort`` and ``task``, a name. Cost: that of ``queries/schedules.py``."""
    task = request.GET.get("task", "")
    found = schedules(visibility, presence)
    # Whether beat sends is judged by all of them.
    wanted = [state for state in found.schedules if task in ("", state.task)]
    show = request.GET.get("show", "") if request.GET.get("show", "") in SHOWN else ""
    sort = request.GET.get("sort", "") if request.GET.get("sort", "") in SORTS else ""
    states = sorted((state for state in wanted if SHOWN[show](state)), key=_order(sort))
    return {
        "found": found,
        "rows": _lines(request, site_name, states),
        "segments": _segments(request, wanted, show),
        "show": show,
        "task": task,
        "without_task_url": with_parameters(request, task=None),
        "sorts": [
            (with_parameters(request, sort=name or None), label, name == sort)
            for name, label in (("", _("trouble first")), ("name", _("name")), ("next", _("next run")))
        ],
        "why_unknown": _why_unknown(found),
        "timeline": timeline(states, found.checked_at),
        "add_url": _beat_url(request, "add") if found.with_database else "",
        "may_view_tasks": request.user.has_perm("monitoring.view_task"),
        "here": here(request),
        "celery_app": (monitoring_settings.CELERY_APP or "proj").rpartition(".")[0] or "proj",
    }


def _order(sort: str) -> Callable[[ScheduleState], Any]:
    if sort == "name":
        return lambda state: state.name.casefold()
    if sort == "next":
        return lambda state: (state.next_due or _LAST, state.name)
    order = list(Standing)
    return lambda state: (order.index(state.standing), state.next_due or _LAST, state.name)


def _segments(
    request: HttpRequest, everything: Sequence[ScheduleState], show: str
) -> list[tuple[str, str, int, bool]]:
    labels = {"": _("All"), "failing": _("Failing"), "missed": _("Missed"), "off": _("Off")}
    return [
        (with_parameters(request, show=name or None), labels[name], sum(map(fits, everything)), name == show)
        for name, fits in SHOWN.items()
    ]


def _lines(request: HttpRequest, site_name: str, states: Sequence[ScheduleState]) -> list[ScheduleLine]:
    entries = {state.name: state.entry for state in states}
    actions = actions_for(
        request, site_name, targets.KIND, list(entries), _VERBS, known={targets.find: entries}
    )
    may_edit = request.user.has_perm("django_celery_beat.change_periodictask")
    lines = []
    for state in states:
        by_name = {action.verb.name: action for action in actions[state.name]}
        lines.append(
            ScheduleLine(
                state,
                _tags(state),
                runs_part(Runs(state.runs[::-1], newest=True), state.runs[0]) if state.runs else None,
                by_name.get("schedule_run"),
                by_name.get("schedule_disable" if state.enabled else "schedule_enable"),
                _beat_url(request, "change", state.entry.pk)
                if may_edit and state.entry.pk is not None
                else "",
                _usual(state),
            )
        )
    return lines


def _usual(state: ScheduleState) -> float | None:
    """The median of the run times that are shown, where there are a few."""
    times = sorted(run.runtime for run in state.runs if run.runtime is not None)
    return times[len(times) // 2] if len(times) >= 5 else None


def _tags(state: ScheduleState) -> list[Tag]:
    tags = []
    if state.overdue is not None:
        count = state.missed_count
        words = ngettext("%(count)s missed", "%(count)s missed", count) % {"count": formatting.number(count)}
        tags.append(Tag(words, _("It is due, and nothing was sent. Counted over the last 24 hours."), "bad"))
    elif state.missed_count:
        words = ngettext("%(count)s missed", "%(count)s missed", state.missed_count)
        title = _("Runs of the last 24 hours that were not sent. It is sent again.")
        tags.append(Tag(words % {"count": formatting.number(state.missed_count)}, title, "warn"))
    if state.overdue is None and state.late:
        words = _("late by %(span)s") % {"span": formatting.duration(state.late)}
        tags.append(Tag(words, _("The latest run of the last 24 hours."), "warn"))
    if state.standing is Standing.RUNNING:
        tags.append(
            Tag(_("still running"), _("Its last run has not ended, and the next one was due."), "warn")
        )
    if state.standing is Standing.UNREADABLE:
        tags.append(Tag(_("cannot be read"), state.problem, "bad"))
    if state.standing is Standing.OVER:
        tags.append(Tag(_("over"), _("It was sent the one time that it was for, or has expired.")))
    if state.not_judged is NotJudged.UNREAD:
        tags.append(Tag(_("not read by beat"), unknown_words(NotJudged.UNREAD), "warn"))
    if state.entry.source == "settings":
        tags.append(Tag(_("in settings"), _("It stands in beat_schedule of the project's settings.")))
    return tags


def unknown_words(why: NotJudged) -> str:
    """Why it is not known whether a schedule was sent in time."""
    return {
        NotJudged.UNSEEN: _("sending a task makes no event. Set task_send_sent_event = True where beat runs"),
        NotJudged.BEHIND: _("events are not received, or are far behind"),
        NotJudged.NEW: _(
            "upkeep has not watched them yet: that takes a few seconds while the event consumer runs"
        ),
        NotJudged.UNREAD: _(
            "beat_scheduler is not django-celery-beat's, so that its rows are sent only where beat is told by its "
            "command line"
        ),
    }[why]


def _why_unknown(found: Schedules) -> str:
    """The commonest reason, where nothing is judged."""
    reasons = Counter(state.not_judged for state in found.schedules if state.not_judged is not None)
    return unknown_words(reasons.most_common(1)[0][0]) if reasons else _("nothing has been due yet")


def _beat_url(request: HttpRequest, page: str, pk: int | None = None) -> str:
    """A page of django-celery-beat's own admin, where this site has it and the user may open it."""
    if not request.user.has_perm(f"django_celery_beat.{page}_periodictask"):
        return ""
    try:
        return reverse(f"admin:django_celery_beat_periodictask_{page}", args=[pk] if pk is not None else [])
    except NoReverseMatch:
        return ""
