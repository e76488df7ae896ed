"""Flower's search text as a question of ours. Pure.

Its grammar (words, ``field:value``, quotes, AND, OR, parentheses) is part of docs/search.md's, but for this:
``name:`` and ``worker:`` look for a part of the text, and ``kwargs:key=value`` for one keyword argument.
"""

from __future__ import annotations

from dataclasses import replace

from ...queries.search.question import Question
from ...queries.search.tree import And, Node, Not, Or, Pattern, Term, Value

_PARTS = frozenset({"name", "worker"})


def read_search(text: str) -> Question:
    """Never raises; `mistakes` say what could not be read."""
    question = Question.read([("q", text)])
    return question if question.tree is None else question.with_tree(_meant(question.tree))


def _meant(node: Node) -> Node:
    match node:
        case And(children):
            return And(tuple(_meant(child) for child in children))
        case Or(children):
            return Or(tuple(_meant(child) for child in children))
        case Not(child):
            return Not(_meant(child))
        case Term(field=field) if field in _PARTS:
            return replace(node, values=tuple(_part(value) for value in node.values))
        case Term(field="kwargs"):
            return replace(node, values=tuple(_pair(value) for value in node.values))
    return node


def _part(value: Value) -> Value:
    """``pay`` is ``*pay*``; what has stars already stays."""
    match value:
        case Pattern((text,)):
            return Pattern(("", text, ""))
    return value


def _pair(value: Value) -> Value:
    """``order=7`` is ``'order': *7``: keyword arguments are kept as Python writes them."""
    match value:
        case Pattern((text,)) if "=" in text:
            key, _equals, rest = text.partition("=")
            return Pattern((f"'{key}': ", rest))
    return value
