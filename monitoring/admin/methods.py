"""What a view of ours may be asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

View = Callable[..., HttpResponseBase]


def post_only(view: View) -> View:
    """405 for anything but POST: what changes something is never done by following a link."""
    wrapped: Any = require_POST(view)
    return wrapped  # type: ignore[no-any-return]


def no_staff_words() -> str:
    """Why somebody is refused who may not use the admin at all."""
    return _("This needs a user who may use the admin")


def acting_view(site: AdminSite, view: View, refuse: Callable[..., None]) -> View:
    """``site.admin_view(view)`` for what acts: `refuse`, called as the view is, writes down who tried and may not.

    That is a signed-in user who may not use the admin, whom it sends to its login page before the view is asked.
    Nobody is written down who has not signed in: a stranger could fill the log.
    """
    inner = site.admin_view(view)

    @csrf_protect
    @wraps(view)
    def outer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not site.has_permission(request):
            refuse(request, *args, **named)
        return inner(request, *args, **named)

    return outer
