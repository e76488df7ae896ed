"""Saving, changing, sharing and deleting views of the task list, and choosing its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ..models import SavedView, TaskListChoice
from ..models.saved_view import MAX_QUERY
from ..queries.task_columns import TASK_COLUMNS

__all__ = [
    "MAX_QUERY",
    "Mistake",
    "add",
    "change",
    "choose_columns",
    "choose_default",
    "clean_query",
    "delete",
]

SHARE = "monitoring.share_savedview"
#: Most views of one user.
MAX_OWN = 100
#: Parameters of the list that belong to a place in it, or to a view itself.
_NOT_KEPT = frozenset({"before", "after", "view", "e"})
_MAX_PARAMETERS = 200


class Mistake(Exception):
    """What was entered cannot be saved; its text says why."""


def may_share(user: Any) -> bool:
    """Staff with the permission: a shared view stands in everybody's menu."""
    return bool(user.is_staff and user.has_perm(SHARE))


def add(user: Any, name: str, query: str, shared: bool = False) -> SavedView:
    """Save a view. Raises Mistake, and PermissionDenied for sharing without the permission."""
    if SavedView.objects.filter(owner=user).count() >= MAX_OWN:
        raise Mistake(_("You have %(count)s saved views; delete one first") % {"count": MAX_OWN})
    _check_sharing(user, shared)
    return _save(SavedView(owner=user, name=_name(name), query=clean_query(query), shared=shared))


def change(
    user: Any,
    view: SavedView,
    *,
    name: str | None = None,
    query: str | None = None,
    shared: bool | None = None,
) -> SavedView:
    """Change what is given of a user's own view. Raises as :func:`add`."""
    if view.owner_id != user.pk:
        raise PermissionDenied(_("Only who saved a view can change or delete it"))
    if name is not None:
        view.name = _name(name)
    if query is not None:
        view.query = clean_query(query)
    if shared is not None and shared != view.shared:
        _check_sharing(user, shared)
        view.shared = shared
    return _save(view)


def delete(view: SavedView) -> None:
    """Delete a view; where somebody's list opened with it, it opens as at first."""
    view.delete()


def choose_default(user: Any, key: str) -> None:
    """Let a user's list open with a view (the caller knows that they can see it), or with none."""
    TaskListChoice.objects.update_or_create(user=user, defaults={"default_view": key})


def choose_columns(user: Any, names: Sequence[str]) -> list[str]:
    """Keep a user's columns in their order; what is no column is left out, and none means as at first."""
    columns = [name for name in dict.fromkeys(names) if name in TASK_COLUMNS]
    TaskListChoice.objects.update_or_create(user=user, defaults={"columns": columns})
    return columns


def clean_query(query: str) -> str:
    """A query string without what does not belong to a view, encoded afresh. Raises Mistake where it is too long."""
    try:
        pairs = parse_qsl(query.removeprefix("?").replace("\0", ""), max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise Mistake(_("The filter has too many parts to be saved")) from error
    clean = urlencode([(name, value.replace("\0", "")) for name, value in pairs if name not in _NOT_KEPT])
    if len(clean) > MAX_QUERY:
        raise Mistake(_("The filter is too long to be saved"))
    return clean


def _name(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())
    if not name:
        raise Mistake(_("A view needs a name"))
    if len(name) > 100:
        raise Mistake(_("The name of a view has at most 100 characters"))
    return name


def _check_sharing(user: Any, shared: bool) -> None:
    if shared and not may_share(user):
        raise PermissionDenied(_("This needs the permission %(permission)s") % {"permission": SHARE})


def _save(view: SavedView) -> SavedView:
    try:
        with transaction.atomic(using=SavedView.objects.db):
            view.save()
    except IntegrityError as error:
        raise Mistake(_("You have a view of this name already")) from error
    return view
