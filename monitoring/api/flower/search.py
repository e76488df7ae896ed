"""Flower's search text as a question of ours. Pure.

Its grammar (words, ``field:value``, quotes, AND, OR, parentheses) is part of docs/search.md's, but for this:
``name:`` and ``worker:`` look for a part of the text, in any case, and ``kwargs:key=value`` for one keyword argument of
this value.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        case Term(field="kwargs", values=(Pattern((first, *others)),)) if "=" in first:
            return _pair(node, first, others)
    return node


def _part(value: Value) -> Value:
    """``pay`` is looked for anywhere and in any case; what has stars stays."""
    match value:
        case Pattern((_,)):
            return replace(value, anywhere=True)
    return value


def _pair(term: Term, first: str, others: Sequence[str]) -> Node:
    """``order=7`` is ``'order': 7,`` or ``'order': '7'}`` and so on: keyword arguments are kept as Python, or Celery
    (celery/utils/saferepr.py, ``_format_chars``), writes them, and a value ends where the next begins, or all do.

    What has stars is looked for as it is, without that end.
    """
    key, _equals, text = first.partition("=")
    before, text = f"{key.strip()!r}: ", text.lstrip() if others else text.strip()
    if others:
        patterns = [Pattern((before + begin, *others)) for begin in (text, f"'{text}")]
    else:
        forms = dict.fromkeys((text, repr(text), "'{}'".format(text.replace("'", "\\'"))))
        patterns = [Pattern((before + form + end,)) for form in forms if form for end in ",}"]
    return Or(tuple(replace(term, values=(pattern,)) for pattern in patterns))
