"""THE list of page tabs, in the order in which they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..models import (
    ApiToken,
    AuditEntry,
    Config,
    DeadLetter,
    Failures,
    Gap,
    Monitor,
    Queue,
    Schedule,
    Statistic,
    Task,
    Worker,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

#: Model, label, and the letter that goes there after `g`.
TABS: tuple[tuple[type[Model], StrPromise, str], ...] = (
    (Monitor, _("Live"), "l"),
    (Task, _("Tasks"), "t"),
    (Failures, _("Failures"), "f"),
    (Worker, _("Workers"), "w"),
    (Queue, _("Queues"), "q"),
    (Schedule, _("Schedules"), "s"),
    (Config, _("Configuration"), "c"),
    (Gap, _("Gaps"), "p"),
    (DeadLetter, _("Dead letters"), "x"),
    (AuditEntry, _("Audit"), "u"),
    (ApiToken, _("API tokens"), "k"),
)


@dataclass(frozen=True)
class Tab:
    label: str | StrPromise
    url: str
    letter: str
    current: bool


def tabs(site: AdminSite, request: HttpRequest, shown: type[Model] | None) -> list[Tab]:
    """The tabs whose page this site has and this user may open; `shown` is None on the dashboard."""
    dashboard = reverse("admin:app_list", args=["monitoring"], current_app=site.name)
    first = [Tab(_("Dashboard"), dashboard, "d", shown is None)] if may_open(site, request, Statistic) else []
    return first + [
        Tab(
            label,
            reverse(f"admin:monitoring_{model._meta.model_name}_changelist", current_app=site.name),
            letter,
            model is shown,
        )
        for model, label, letter in TABS
        if may_open(site, request, model)
    ]


def may_open(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    """Whether this site has the page of a model and this user may open it."""
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)
