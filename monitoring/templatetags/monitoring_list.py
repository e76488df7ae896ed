"""Rows of the task list, for the page and for the frames that keep it live, and of the facets beside it."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.template.context import RequestContext
from django.utils.safestring import SafeString

from ..admin.list_parts.facet_rows import FacetPart, FacetRow, rows_of_facet
from ..admin.list_parts.rows import Place, task_rows
from ..models import Task

register = template.Library()


@register.simple_tag(takes_context=True)
def rows_of_tasks(context: RequestContext, tasks: Iterable[Task]) -> SafeString:
    """The rows of `tasks`, with the context's `columns`, `with_payload` and, where it has one, `list_query`."""
    columns = context.get("columns")
    site = getattr(context.get("request"), "current_app", None)
    return task_rows(
        tasks,
        # Whoever puts another text into the context gets the columns as at first.
        columns if isinstance(columns, list | tuple) else (),
        Place(site, context.get("list_query")),
        with_payload=bool(context.get("with_payload")),
    )


@register.simple_tag(takes_context=True)
def row_of_task(context: RequestContext, task: Task) -> SafeString:
    """The row of one task, in the same way."""
    return rows_of_tasks(context, [task])


@register.simple_tag
def facet_rows(facet: FacetPart, rows: Iterable[FacetRow]) -> SafeString:
    """Some of the rows of a facet."""
    return rows_of_facet(facet.field, rows)
