"""Facets as the page shows them: a box that picks a value, a link that leaves it out, and its number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ... import formatting
from ...queries.facets import Facet, Facets
from ...queries.search.editing import remove_field, toggle
from ...queries.search.printing import value_text
from ...queries.search.tree import Pattern
from ...templatetags.monitoring_format import UNKNOWN
from ...templatetags.monitoring_parts import function_name, icon, state_icon, worker_name
from .address import ListAddress

#: Values that are shown before "9 more".
SHOWN = 5


@dataclass(frozen=True)
class FacetRow:
    """`text`: the value as it stands in a URL. `number`: None where nothing was counted. `exclude_url`: with it left
    out, or no longer so.
    """

    value: str
    text: str
    number: int | None
    chosen: bool
    excluded: bool
    exclude_url: str


@dataclass(frozen=True)
class FacetPart:
    """A field's rows; `more` are folded. `clear_url`: without any choice of this field, None where there is none."""

    field: str
    label: str
    rows: list[FacetRow]
    more: list[FacetRow]
    others: int
    clear_url: str | None
    complete: bool
    counted: int
    is_known: bool


def facet_parts(address: ListAddress, found: Facets) -> list[FacetPart]:
    return [_part(address, facet, found.is_known) for facet in found.facets]


def ticked(parts: list[FacetPart]) -> list[tuple[str, str]]:
    """The boxes that the form sends, as parameters."""
    return [(part.field, row.text) for part in parts for row in (*part.rows, *part.more) if row.chosen]


def rows_of_facet(field: str, rows: Iterable[FacetRow]) -> SafeString:
    """The rows of a field as HTML. A page has some forty of them, which is too many for a template each."""
    # mark_safe: each text of a task went through escape().
    return mark_safe("\n".join(_row(field, row) for row in rows))  # noqa: S308


def _row(field: str, row: FacetRow) -> str:
    value, text = escape(row.value), escape(row.text)
    shown = {"name": function_name, "worker": worker_name}.get(field, str)(row.value)
    checked = " checked" if row.chosen else ""
    current = ' aria-current="true"' if row.excluded else ""
    title = _("Left out. Take it in again") if row.excluded else _("Leave out")
    label = (_("Take %(value)s in again") if row.excluded else _("Leave out %(value)s")) % {"value": value}
    return (
        f'<div class="mon-facet-row{_kind(row)}">\n'
        f'<label class="mon-facet"><input form="mon-filter" type="checkbox" name="{field}" value="{text}"{checked}>'
        f"{state_icon(row.value) if field == 'state' else ''}"
        f'<span class="mon-facet-value" title="{value}">{escape(shown)}</span>'
        f'<span class="mon-facet-count">{_number(row.number)}</span></label>\n'
        f'<a class="mon-facet-not" href="{escape(row.exclude_url)}"{current} title="{title}" aria-label="{label}">'
        f"{icon('minus-circle')}</a>\n</div>"
    )


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else formatting.number(value)


def _kind(row: FacetRow) -> str:
    if row.chosen:
        return " mon-facet-chosen"
    if row.excluded:
        return " mon-facet-excluded"
    return "" if row.number else " mon-facet-none"


def _part(address: ListAddress, facet: Facet, is_known: bool) -> FacetPart:
    tree = address.question.tree
    rows = []
    for value in facet.values:
        pattern = Pattern((value.value,))
        rows.append(
            FacetRow(
                value.value,
                value_text(facet.field, pattern),
                value.number if is_known else None,
                value.chosen,
                value.excluded,
                address.with_tree(toggle(tree, facet.field, pattern, excluded=True)).url(),
            )
        )
    cleared = remove_field(tree, facet.field)
    first = rows if facet.field == "state" else rows[:SHOWN]
    first += [row for row in rows if (row.chosen or row.excluded) and row not in first]
    return FacetPart(
        facet.field,
        _label(facet.field),
        first,
        [row for row in rows if row not in first],
        facet.others,
        address.with_tree(cleared).url() if cleared != tree else None,
        facet.complete,
        facet.counted,
        is_known,
    )


def _label(field: str) -> str:
    return {
        "state": _("State"),
        "name": _("Task"),
        "exception_type": _("Exception"),
        "queue": _("Queue"),
        "worker": _("Worker"),
    }[field]
