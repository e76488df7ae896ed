"""The dashboard and its card, for templates of admin sites that know nothing of this app."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..admin.card import card
from ..admin.dashboard import dashboard

register = template.Library()


@register.simple_tag(takes_context=True)
def dashboard_page(context: RequestContext) -> SafeString:
    """The whole page: it extends the frame of our pages with what it asks for itself, which no block could do."""
    request = context["request"]
    flat = {key: value for each in context.dicts for key, value in each.items()}
    return render_to_string("admin/monitoring/dashboard.html", {**flat, **dashboard(request)}, request)


@register.inclusion_tag("admin/monitoring/parts/card.html", takes_context=True)
def monitoring_card(context: RequestContext) -> dict[str, Any]:
    """A small card for the index of an admin site; nothing for a user who may not see statistics."""
    return card(context["request"])
