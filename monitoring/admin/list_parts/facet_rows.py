"""Facets as the page shows them: a box that picks a value, a link that leaves it out, and its number."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ...queries.facets import Facet, Facets
from ...queries.search.editing import remove_field, toggle
from ...queries.search.printing import value_text
from ...queries.search.tree import Pattern
from .address import ListAddress

#: Values that are shown before "9 more".
SHOWN = 5


@dataclass(frozen=True)
class FacetRow:
    """`text`: the value as it stands in a URL. `exclude_url`: with it left out, or no longer so."""

    value: str
    text: str
    number: int
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


def facet_parts(address: ListAddress, found: Facets) -> list[FacetPart]:
    return [_part(address, facet) for facet in found.facets]


def ticked(parts: list[FacetPart]) -> list[tuple[str, str]]:
    """The boxes that the form sends, as parameters."""
    return [(part.field, row.text) for part in parts for row in (*part.rows, *part.more) if row.chosen]


def _part(address: ListAddress, facet: Facet) -> FacetPart:
    tree = address.question.tree
    rows = []
    for value in facet.values:
        pattern = Pattern((value.value,))
        rows.append(
            FacetRow(
                value.value,
                value_text(facet.field, pattern),
                value.number,
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
    )


def _label(field: str) -> str:
    return {
        "state": _("State"),
        "name": _("Task"),
        "exception_type": _("Exception"),
        "queue": _("Queue"),
        "worker": _("Worker"),
    }[field]
