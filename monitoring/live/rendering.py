"""Rows as HTML, by the templates that the pages use, each once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.template.loader import get_template
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation

from monitoring.live.audience import Look

_PARTS = "admin/monitoring/parts/"
_INDENTATION = re.compile(r"\n\s+")


def render(look: Look, template: str, **context: Any) -> str:
    """``admin/monitoring/parts/<template>`` as a user of this look sees it. Must run :func:`inside` the look."""
    html = get_template(f"{_PARTS}{template}").render(
        {
            **context,
            "with_payload": "view_payload" in look.permissions,
            "with_figures": look.visibility.is_everything,
            # Whoever sees workers may ping them.
            "may_control": "view_worker" in look.permissions,
            "may_view_queues": "view_queue" in look.permissions,
            "columns": look.columns,
            # What the tag page_url asks a request for.
            "request": SimpleNamespace(current_app=look.site),
        }
    )
    return _INDENTATION.sub("\n", html).strip()


@contextmanager
def inside(look: Look) -> Iterator[None]:
    """The language and the address prefix of a look, in this thread."""
    prefix = get_script_prefix()
    set_script_prefix(look.prefix)
    try:
        with translation.override(look.language):
            yield
    finally:
        set_script_prefix(prefix)


class RowCache:
    """Rows of the last two rounds by everything that they depend on, so that equal ones are rendered once.

    The key holds the look, visibility and permissions included, and the row's version, which is all that it shows.
    """

    def __init__(self) -> None:
        self._present: dict[Hashable, str] = {}
        self._former: dict[Hashable, str] = {}

    def next_round(self) -> None:
        self._former, self._present = self._present, {}

    def row(self, look: Look, template: str, version: Hashable, context: dict[str, Any]) -> str:
        key = (template, look, version)
        html = self._present.get(key) or self._former.get(key)
        if html is None:
            html = render(look, template, **context)
        self._present[key] = html
        return html
