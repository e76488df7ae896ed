"""Saved views of the task list: the shipped ones, a user's own, and those that others share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import SavedView, TaskListChoice

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

#: Most views that a menu lists.
MAX_VIEWS = 200


@dataclass(frozen=True)
class ShippedView:
    """A view that everybody has; `parameters` are made for the day on which it is opened, in Django's time zone."""

    key: str
    name: StrPromise
    parameters: Callable[[datetime], list[tuple[str, str]]]

    def query(self, now: datetime) -> str:
        return urlencode(self.parameters(timezone.localtime(now)))


SHIPPED: dict[str, ShippedView] = {
    view.key: view
    for view in (
        ShippedView(
            "failed-today",
            _("Failed today"),
            lambda now: [("state", "FAILURE"), ("finished", f">={now:%Y-%m-%d}")],
        ),
        ShippedView(
            "long-running",
            _("Running longer than 10 min"),
            lambda now: [("state", "STARTED"), ("attempt_started", "<-10m"), ("sort", "first_seen")],
        ),
        ShippedView("retrying", _("Retrying"), lambda now: [("state", "RETRY")]),
        ShippedView("lost", _("Lost"), lambda now: [("state", "LOST")]),
        ShippedView(
            "waiting-longest",
            _("Waiting longest"),
            lambda now: [("state", "PENDING"), ("state", "RECEIVED"), ("sort", "first_seen")],
        ),
    )
}


@dataclass(frozen=True)
class View:
    """A view as a user sees it. `key` names it in addresses; `owner` is the user name of whose it is, else empty."""

    key: str
    name: str
    query: str
    owner: str = ""
    mine: bool = False
    shared: bool = False
    is_default: bool = False


@dataclass(frozen=True)
class ListChoices:
    """What a user can open, and the columns of the list in their order; none were chosen where it is empty."""

    views: list[View]
    columns: tuple[str, ...] = ()
    default: str = ""


def list_choices(user: Any) -> ListChoices:
    """The views of a user (own ones, then shared ones of others, then the shipped ones), and the columns.

    Cost: one query of two small tables.
    """
    now, default, columns = timezone.now(), "", ()
    saved = []
    for is_choice, *row in _saved_and_chosen(user):
        if is_choice:
            default, columns = row[3], tuple(json.loads(row[4]))
        else:
            saved.append(row)
    views = [
        View(str(key), name, query, owner, owner_id == user.pk, bool(shared), str(key) == default)
        for key, owner_id, owner, name, query, shared in saved
    ]
    views.sort(key=lambda view: not view.mine)
    shipped = [
        View(view.key, str(view.name), view.query(now), is_default=view.key == default)
        for view in SHIPPED.values()
    ]
    return ListChoices(views + shipped, columns, default)


def _saved_and_chosen(user: Any) -> QuerySet[Any, tuple[Any, ...]]:
    """A row for the choice, if any, and behind it one for each view by its name, in the same columns."""
    owner = f"owner__{get_user_model().USERNAME_FIELD}"
    saved = SavedView.objects.filter(Q(owner=user) | Q(shared=True)).order_by()
    chosen = TaskListChoice.objects.filter(user=user).order_by()
    columns = ("is_choice", "key", "whose", "who", "called", "asks", "is_shared")
    return (
        saved.annotate(
            is_choice=Value(0), key=F("pk"), whose=F("owner_id"), who=F(owner), called=F("name"),
            asks=F("query"), is_shared=F("shared"),
        )
        .values_list(*columns)
        .union(
            chosen.annotate(
                is_choice=Value(1), key=Value(0), whose=F("user_id"), who=Value(""), called=F("default_view"),
                asks=Cast("columns", TextField()), is_shared=Value(False),
            ).values_list(*columns),
            all=True,
        )
        .order_by("-is_choice", "called", "key")[: MAX_VIEWS + 1]
    )  # fmt: skip


def views_of(user: Any) -> list[View]:
    """The views that a user can open. Cost: as :func:`list_choices`."""
    return list_choices(user).views


def view_by_key(user: Any, key: str) -> View | None:
    """A view that a user can open; None for one that there is not, or of somebody else who does not share it."""
    if key in SHIPPED:
        return View(key, str(SHIPPED[key].name), SHIPPED[key].query(timezone.now()))
    # Not isdigit() alone: it takes digits of every script, and numbers that no id reaches.
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    found = (
        SavedView.objects.filter(Q(owner=user) | Q(shared=True), pk=int(key)).select_related("owner").first()
    )
    if found is None:
        return None
    return View(
        key, found.name, found.query, found.owner.get_username(), found.owner_id == user.pk, found.shared
    )


def opening_view(user: Any, choices: ListChoices) -> View | None:
    """The view that a user's list opens with; None where none was chosen, or where it is not there any more.

    Cost: none; the primary key where it is none of the MAX_VIEWS that were read.
    """
    chosen = next((view for view in choices.views if view.is_default), None)
    return chosen or (view_by_key(user, choices.default) if choices.default else None)
