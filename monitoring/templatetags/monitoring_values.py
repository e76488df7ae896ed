"""Values of tasks as trees. Written here and not in templates: a tree may have thousands of nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import formatting
from ..literals.tree import Kind, Node

register = template.Library()

#: Containers of more parts, or deeper than this, begin folded.
OPEN_PARTS = 12
OPEN_DEPTH = 3
#: Characters of one leaf that are shown in the tree; the raw text has all.
LEAF = 500
#: Lists of this many characters stand on one line.
SHORT = 40
_NAME_KEY = re.compile(r"""(["'])(?P<name>[^\W\d]\w*)\1\Z""")


@register.simple_tag
def value_tree(node: Node) -> SafeString:
    """A node's parts as nested lists; folded ones open without a script."""
    # mark_safe: each text of the task went through escape().
    return mark_safe("".join(_item(node, 0, "", is_last=True)))  # noqa: S308


def _item(node: Node, depth: int, key: str, *, is_last: bool) -> Iterator[str]:
    comma = "" if is_last or depth == 0 else ","
    if not node.children or _is_short(node):
        yield f"<li>{key}{_leaf(node)}{comma}</li>"
        return
    is_open = len(node.children) <= OPEN_PARTS and depth < OPEN_DEPTH
    count = len(node.children)
    words = ngettext("%(count)s item", "%(count)s items", count) % {"count": formatting.number(count)}
    yield f"<li><details{' open' if is_open else ''}><summary>{key}{node.opening}"
    yield f'<span class="mon-tree-count">{escape(words)}</span></summary><ul>'
    for index, child in enumerate(node.children, 1):
        yield from _item(child, depth + 1, _key(child), is_last=index == count)
    yield f"</ul><span>{node.closing}{comma}</span></details></li>"


def _is_short(node: Node) -> bool:
    """A list of a few figures or words, which is read best on one line."""
    return (
        node.kind in (Kind.LIST, Kind.TUPLE)
        and len(node.text) <= SHORT
        and all(child.kind in (Kind.NUMBER, Kind.STRING, Kind.WORD) for child in node.children)
    )


def _key(node: Node) -> str:
    if not node.key:
        return ""
    match = _NAME_KEY.match(node.key)
    name = match["name"] if match else formatting.cut(node.key, LEAF)
    return f'<span class="mon-tree-key">{escape(name)}</span>: '


def _leaf(node: Node) -> str:
    if node.kind is Kind.REDACTED:
        return f'<span class="mon-tag">{escape(_("redacted"))}</span>'
    if node.kind is Kind.CUT:
        return f'<span class="mon-tag">{escape(node.text)} {escape(_("cut"))}</span>'
    return f'<span class="mon-tree-{node.kind}">{escape(formatting.cut(node.text, LEAF))}</span>'
