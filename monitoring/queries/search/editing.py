"""Changes of a tree, term by term: what chips, facets and the brush of the histogram do. Pure.

Each takes a tree and gives a new one; None is a search for everything.
"""

from __future__ import annotations

from .tree import And, Node, Not, Term, Value, conjunction, conjuncts, simple


def add(tree: Node | None, node: Node) -> Node | None:
    """With `node` holding too; what a conjunction holds is added one by one, and nothing is there twice."""
    return conjunction(tuple(dict.fromkeys((*conjuncts(tree), *_all_conjuncts(node)))))


def _all_conjuncts(node: Node) -> tuple[Node, ...]:
    """Those of parentheses too that say nothing: ``(a b) c``."""
    if not isinstance(node, And):
        return (node,)
    return tuple(each for child in node.children for each in _all_conjuncts(child))


def remove(tree: Node | None, node: Node) -> Node | None:
    """Without the top-level part that equals `node`."""
    return conjunction(tuple(each for each in conjuncts(tree) if each != node))


def remove_field(tree: Node | None, field: str, *, excluded: bool | None = None) -> Node | None:
    """Without the top-level terms of a field; `excluded`: of the excluding, or the others, alone."""
    return conjunction(
        tuple(each for each in conjuncts(tree) if not _is_of(each, field, excluded)),
    )


def replace(tree: Node | None, field: str, *values: Value, excluded: bool = False) -> Node | None:
    """With `values` as the only top-level term of this field, and in its place; no values: without it."""
    new: Node | None = None
    if values:
        term = Term(field, values)
        new = Not(term) if excluded else term
    kept: list[Node] = []
    for each in conjuncts(tree):
        if not _is_of(each, field, None):
            kept.append(each)
        elif new is not None:
            kept.append(new)
            new = None
    if new is not None:
        kept.append(new)
    return conjunction(tuple(kept))


def chosen(tree: Node | None, field: str, *, excluded: bool = False) -> tuple[Value, ...]:
    """The values of a field's top-level terms: the ticked boxes of a facet."""
    found = [simple(each) for each in conjuncts(tree)]
    return tuple(
        dict.fromkeys(
            value
            for term, excludes in filter(None, found)
            if term.field == field and excludes is excluded
            for value in term.values
        )
    )


def toggle(tree: Node | None, field: str, value: Value, *, excluded: bool = False) -> Node | None:
    """With `value` among a field's values, or without it where it was: a click on a box of a facet."""
    values = chosen(tree, field, excluded=excluded)
    left = tuple(each for each in values if each != value)
    if len(left) == len(values):
        left = (*values, value)
    return replace(tree, field, *left, excluded=excluded)


def _is_of(node: Node, field: str, excluded: bool | None) -> bool:
    found = simple(node)
    return found is not None and found[0].field == field and excluded in (None, found[1])
