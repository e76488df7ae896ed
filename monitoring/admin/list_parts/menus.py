"""The menus on top of the list: views, and what can be exported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from ...control.saved_views import may_share
from ...control.verbs import VERBS
from ...queries.saved_views import View
from .address import ListAddress


@dataclass(frozen=True)
class ViewGroup:
    label: str
    views: list[View]


def views_menu(request: HttpRequest, address: ListAddress, views: list[View]) -> dict[str, Any]:
    """The views by whose they are, the one that is open, and whether the list differs from it."""
    current = next((view for view in views if view.key == address.view), None)
    groups = [
        ViewGroup(_("Mine"), [view for view in views if view.mine]),
        ViewGroup(_("Shared"), [view for view in views if view.owner and not view.mine]),
        ViewGroup(_("For everybody"), [view for view in views if not view.owner]),
    ]
    return {
        "view_groups": [group for group in groups if group.views],
        "view": current,
        "view_changed": current is not None and not _same(address, current.query),
        "may_share": may_share(request.user),
        "has_default_view": any(view.is_default for view in views),
    }


def export_links(
    address: ListAddress, columns: Iterable[str], with_payload: bool
) -> list[tuple[str, str, str]]:
    """Name, what is in it, and the query of each export of all that match."""
    names = list(columns)
    shown = [*address.question.parameters(), *(("_columns", name) for name in names)]
    whole = address.question.parameters()
    links = [
        (
            "CSV",
            _("the %(count)s columns shown, times as ISO 8601") % {"count": len(names)},
            [*shown, ("_format", "csv")],
        ),
        ("JSON Lines", _("every field, one task a line"), [*whole, ("_format", "jsonl")]),
    ]
    if with_payload:
        every = [*whole, ("_format", "jsonl"), ("_payload", "1")]
        links.append(("JSON Lines", _("with arguments and results; redacted values stay redacted"), every))
    return [(name, words, urlencode(pairs)) for name, words, pairs in links]


def allowed_verbs(request: HttpRequest) -> list[Any]:
    """The verbs for tasks that this user may use."""
    return [
        verb
        for verb in VERBS.values()
        if verb.target_kind == "task" and request.user.has_perm(verb.permission)
    ]


def _same(address: ListAddress, query: str) -> bool:
    saved = ListAddress.of(QueryDict(query)).pairs()
    return sorted(saved) == sorted(address.pairs())


def kept_query(address: ListAddress) -> str:
    """The list as a view keeps it."""
    return urlencode(
        [pair for pair in parse_qsl(address.url()[1:]) if pair[0] not in ("view", "place", "look")]
    )
