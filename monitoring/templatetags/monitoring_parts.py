"""The parts that pages are made of. Each has one template below admin/monitoring/parts/.

Those that stand in each row of a list are put together here: of a hundred rows a template each is a quarter of the time
that the page takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_urls import admin_urlquote
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .. import formatting
from ..admin.charts import Chart, Row
from ..admin.url_query import with_parameters
from ..icons import ICONS, STATE_ICONS
from ..queries.search.printing import exact_text
from .monitoring_format import breakable, clock

register = template.Library()
register.filter("exactly", exact_text)

#: As Celery makes them. What splits a text keeps what it splits at, at every second place.
_TASK_ID = re.compile(r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")

# mark_safe: the table of icons is ours and constant.
_SVG = {
    name: mark_safe(  # noqa: S308
        f'<svg class="mon-icon mon-icon-{name}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{shape}</svg>'
    )
    for name, shape in ICONS.items()
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon, always beside a word: it is hidden from screen readers."""
    return _SVG[name]


@register.simple_tag
@lru_cache(maxsize=64)
def state_badge(state: str, size: str = "") -> SafeString:
    """A task's state: icon, word and colour. `size`: empty for rows, ``large`` for headers."""
    return format_html(
        '<span class="mon-badge mon-state-{}{}">{}{}</span>',
        state.lower(),
        f" mon-badge-{size}" if size else "",
        _SVG[STATE_ICONS.get(state, "question")],
        state,
    )


@register.simple_tag
@lru_cache(maxsize=64)
def state_icon(state: str) -> SafeString:
    kind = state.lower()
    return format_html(
        '<span class="mon-solid mon-state-{}">{}</span>', kind, _SVG[STATE_ICONS.get(state, "question")]
    )


@register.simple_tag
def task_name(name: str | None, url: str = "") -> SafeString:
    """A task's name: module dim, function bold, and linked where there is a `url`."""
    module, function = formatting.split_name(name) if name else ("", _("name not known"))
    if url:
        shown = f'<a class="mon-function" href="{escape(url)}">{escape(function)}</a>'
    else:
        shown = f'<b class="mon-function">{escape(function)}</b>'
    before = f' title="{escape(name)}"><span class="mon-module">{escape(module)}</span>' if name else ">"
    # mark_safe: each text went through escape(), which is a quarter of what format_html() costs.
    return mark_safe(f'<span class="mon-task-name"{before}{shown}</span>')  # noqa: S308


@register.simple_tag
def copy_button(text: str = "", source: str = "", what: str = "") -> SafeString:
    """A button that copies `text`, or the text of the element with the id `source`; `what` names it aloud."""
    attribute, value = ("data-copy-from", source) if source else ("data-copy", text)
    return format_html(_copy_button(get_language() or "", what), attribute, value)


@lru_cache(maxsize=256)
def _copy_button(language: str, what: str) -> str:
    """The button in a language, but for its text: a format of two fields."""
    button = format_html(
        'data-copied="{}" aria-label="{}" title="{}">{}<span class="mon-icon-done">{}</span></button>',
        _("Copied"),
        _("Copy %(what)s") % {"what": what},
        _("Copy"),
        _SVG["copy"],
        _SVG["tick"],
    )
    return '<button type="button" class="mon-copy" {}="{}" ' + button.replace("{", "{{").replace("}", "}}")


@register.inclusion_tag("admin/monitoring/parts/meter.html")
def meter(value: int | None, most: int | None) -> dict[str, Any]:
    """How many of how many: a bar and the words; a full one is amber."""
    return {"value": value, "most": most, **_part(value, most)}


@register.inclusion_tag("admin/monitoring/parts/meter_bar.html")
def meter_bar(value: int | None, most: int | None) -> dict[str, Any]:
    """The bar of a meter alone, where the figures stand elsewhere."""
    return _part(value, most)


def _part(value: int | None, most: int | None) -> dict[str, Any]:
    part = min(100, round(100 * value / most)) if value is not None and most else 0
    return {"part": part, "full": part == 100}


@register.simple_tag
def progress_words(task: Any, with_payload: bool) -> str:
    """What a running task says of its progress: its message for those who may read payloads, else how far it is."""
    if with_payload and task.progress_message:
        return formatting.cut(task.progress_message, 120)
    current, total = task.progress_current, task.progress_total
    if current is not None and total:
        words = {"current": formatting.number(current), "total": formatting.number(total)}
        return _("%(current)s of %(total)s") % words
    return f"{int(task.progress * 100)}{formatting.NBSP}%" if task.progress is not None else ""


@register.simple_tag
def task_heading(name: str | None) -> SafeString:
    """A task's name as :func:`task_name` has it, for a heading: lines break between its words."""
    module, function = formatting.split_name(name) if name else ("", _("name not known"))
    return format_html(
        '<span class="mon-task-name" title="{}"><span class="mon-module">{}</span>'
        '<b class="mon-function">{}</b></span>',
        name or "",
        breakable(module),
        breakable(function),
    )


@register.simple_tag(takes_context=True)
def with_task_links(context: RequestContext, words: str) -> SafeString:
    """A sentence in which ids of tasks lead to their pages."""
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html('<a href="{}">{}</a>', page_url(context, "task", piece), piece)
                if at % 2
                else piece,
            )
            for at, piece in enumerate(_TASK_ID.split(words))
        ),
    )


@register.simple_tag(takes_context=True)
def page_url(context: RequestContext, model: str, key: str | None = None) -> str:
    """The address of a list (``task``), or of one object's page (``task`` and its key), in this admin site."""
    request = context.get("request")
    site = getattr(request, "current_app", None)
    if key is None:
        return reverse(f"admin:monitoring_{model}_changelist", current_app=site)
    return reverse(f"admin:monitoring_{model}_change", args=[admin_urlquote(key)], current_app=site)


@register.simple_tag(takes_context=True)
def task_part_url(context: RequestContext, task: Any, part: str) -> str:
    """The address of another view of a task: ``raw``, ``beside``."""
    site = getattr(context.get("request"), "current_app", None)
    return reverse(f"admin:monitoring_task_{part}", args=[admin_urlquote(task.pk)], current_app=site)


@register.simple_tag(takes_context=True)
def attempt_url(context: RequestContext, number: int) -> str:
    """The present page with the exception of another attempt."""
    return with_parameters(context["request"], attempt=str(number))


@register.simple_tag
def chart_rows(chart: Chart) -> SafeString:
    """The lines of the table beside a chart. A page has up to two thousand of them."""
    filling = format_html(' <span class="mon-tag">{}</span>', _("filling"))
    return format_html_join(
        "",
        '<tr><th scope="row" class="mon-nowrap">{}{}{}</th>{}</tr>',
        (
            (
                clock(row.at),
                filling if row.filling else "",
                format_html_join(
                    "", ' <span class="mon-small mon-dim" title="{}">{}</span>', _mark_words(row)
                ),
                # mark_safe: numbers and units of ours.
                mark_safe(  # noqa: S308
                    "".join(
                        f'<td class="mon-number">{chart.written(value).replace("<", "&lt;").replace(">", "&gt;")}</td>'
                        for value in row.values
                    )
                ),
            )
            for row in chart.rows
        ),
    )


def _mark_words(row: Row) -> Iterator[tuple[str, str]]:
    """Names of what was deployed in a bucket, whole and as long as there is room for."""
    return ((label, formatting.cut(label, 40)) for label in row.marks)


@register.simple_tag
def phase_words(kind: str) -> str:
    """What a task did in a stretch of its time."""
    return {
        "delay": _("Waiting for its time"),
        "queued": _("Queued"),
        "held": _("Waiting in worker"),
        "running": _("Running"),
        "earlier": _("Earlier attempts"),
    }[kind]


@register.simple_tag
def run_words(kind: str) -> str:
    """How a run ended, for the legend of the chart of runs."""
    return {
        "success": _("Succeeded"),
        "retried": _("Succeeded after retries"),
        "failure": _("Failed"),
        "other": _("Revoked, rejected or lost"),
        "open": _("Not over"),
    }[kind]


@register.filter
def function_name(name: str | None) -> str:
    """The last part of a task's name."""
    return formatting.cut(formatting.split_name(name)[1], 60) if name else _("name not known")


@register.filter
def call_line(task: Any) -> str:
    """The arguments of a row of the list, on one line; a cut argument ends in "…"."""
    args, kwargs = getattr(task, "args_start", None), getattr(task, "kwargs_start", None)
    return formatting.cut(formatting.call_line(args, kwargs), 200)


@register.filter
def host(hostname: str | None) -> str:
    """The part of a worker's name behind its @, as in ``celery@web-1``."""
    return (hostname or "").partition("@")[2] or hostname or ""


@register.filter
def worker_name(hostname: str | None) -> str:
    """A worker's name where space is short: without the ``celery@`` that all have unless they were given a name."""
    return (hostname or "").removeprefix("celery@")


@register.filter
def node(hostname: str) -> str:
    """The part of a worker's name up to its @, with it; empty where there is none."""
    name, at, rest = hostname.partition("@")
    return name + at if rest else ""
