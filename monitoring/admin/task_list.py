"""The task list: what its template needs."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..queries.facets import facets
from ..queries.histogram import around, histogram
from ..queries.reading import LIMIT, PATIENCE, Reading
from ..queries.saved_views import ListChoices, opening_view
from ..queries.search.editing import replace
from ..queries.search.tree import Bound, Range
from ..queries.sorting import NEWEST_FIRST
from ..queries.task_list import Asked, TaskList
from ..queries.task_list import task_list as find
from ..queries.totals import bounded, total
from ..queries.visibility import Visibility
from .arrivals import why_nothing_arrived
from .chips import PERIOD_WORDS
from .list_parts.address import MOST_PATIENCE, ListAddress
from .list_parts.chart import chart
from .list_parts.chips import chips, field_label
from .list_parts.columns import column_choices, heads, list_columns
from .list_parts.facet_rows import facet_parts, ticked
from .list_parts.form import TIME_FIELDS, form_fields
from .list_parts.menus import allowed_verbs, export_links, kept_query, views_menu
from .list_parts.mistakes import shown_mistakes
from .list_parts.search_help import examples, fields


def task_list(
    request: HttpRequest, visibility: Visibility, choices: ListChoices, with_payload: bool, site_name: str
) -> dict[str, Any]:
    address = ListAddress.of(request.GET)
    asked = Asked(visibility, address.question, with_payload, timezone.now())
    active = chips(address)
    with Reading(address.patience) as reading:
        found = find(asked, address.sort, address.place, reading)
        is_all = address.question.tree is None and not address.question.mistakes
        if not found.rows and is_all and address.place is None and not found.looked_back_to:
            return {"nothing_arrived": True, **why_nothing_arrived(visibility)}
        reading.limit_to(LIMIT)
        drop = active[-1] if active and not found.rows and not asked.mistakes else None
        beside = {"around": around(asked)}
        if drop is not None:
            beside["without"] = dataclasses.replace(asked, question=drop.without.question).tasks()
        counted = facets(asked, reading, {name: tasks for name, tasks in beside.items() if tasks is not None})
        shape = histogram(asked, counted, reading)
        number = total(asked, found, counted, shape, reading)
    kept = address.columns or choices.columns
    columns = list_columns(kept, with_payload=with_payload)
    parts, menu = facet_parts(address, counted), views_menu(request, address, choices.views)
    context: dict[str, Any] = {
        "address": address,
        "with_payload": with_payload,
        "question": address.question,
        "mistakes": shown_mistakes(asked, request.GET),
        "needs_range": any(mistake.code == "needs_range" for mistake in asked.mistakes),
        "texts_skipped": asked.texts_skipped and not asked.mistakes,
        "rows": found.rows,
        "columns": columns,
        "heads": heads(address, columns),
        "column_choices": column_choices(columns, with_payload=with_payload),
        "total": number,
        "drop": drop,
        "drop_total": bounded(counted.beside.get("without")),
        "chips": active,
        "clear_url": "?view=none" if menu["has_default_view"] else "?",
        "chart": chart(address, shape),
        "facets": parts,
        "facets_since": counted.since,
        "facets_in_time": counted.in_time,
        "fields": form_fields(address.question, ticked(parts)),
        "time_fields": [(name, field_label(name)) for name in TIME_FIELDS],
        "kept_query": kept_query(address),
        "column_query": kept_query(dataclasses.replace(address, columns=())),
        "time_zone": timezone.get_current_timezone_name(),
        "suggest_url": reverse("admin:monitoring_task_suggest", current_app=site_name),
        "export_links": export_links(address, columns, with_payload),
        "verbs": allowed_verbs(request),
        "search_examples": examples(with_payload),
        "search_fields": fields(with_payload),
        **menu,
        **_ways(address, found),
    }
    time = context["fields"].time
    context["periods"] = _periods(address, time.field)
    shown = (
        next((chip for chip in active if chip.label == field_label(time.field)), None)
        if time.is_shown
        else None
    )
    context["time_label"] = field_label(time.field).capitalize()
    context["time_words"] = shown.value if shown is not None else _("any time")
    return context


def opening_address(request: HttpRequest, choices: ListChoices) -> str | None:
    """Where a list that was opened without any parameter leads to: the view that its reader chose, if any."""
    if request.GET:
        return None
    view = opening_view(request.user, choices)
    return (
        None if view is None else f"{request.path}?{urlencode({'view': view.key})}&{view.query}".rstrip("&")
    )


def _ways(address: ListAddress, found: TaskList) -> dict[str, Any]:
    """Where the reader can go from here."""
    first = address.url()
    is_newest = address.place is None and address.sort == NEWEST_FIRST
    look_on = None
    if found.looked_back_to and found.go_on:
        look_on = address.url(place=found.go_on, patience=address.patience)
    elif found.looked_back_to and address.patience < MOST_PATIENCE:
        look_on = address.url(place=address.place, patience=address.patience + 1)
    return {
        "looked_back_to": found.looked_back_to,
        "look_on_url": look_on,
        "looks_longer": found.go_on is None,
        "seconds": LIMIT * PATIENCE[address.patience],
        "first_page_url": first if address.place is not None else None,
        # The live page puts new tasks on top of the newest ones alone; elsewhere it says how many there are.
        "live_first_page": None if is_newest else first,
        "newer_url": address.url(place=found.before, patience=address.patience) if found.before else None,
        "older_url": address.url(place=found.after, patience=address.patience) if found.after else None,
    }


def _periods(address: ListAddress, field: str) -> list[tuple[str, str, bool]]:
    """Words, address and whether it is chosen, for the time that the form shows."""
    periods = []
    for period in PERIOD_WORDS:
        tree = replace(address.question.tree, field, Range(low=Bound(f"-{period}")))
        other = address.with_tree(tree)
        periods.append((str(PERIOD_WORDS[period]).capitalize(), other.url(), tree == address.question.tree))
    return periods
