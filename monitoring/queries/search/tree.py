"""What a search means, as a tree. Pure; every node is a value that can be compared and hashed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeAlias

#: Where in the text a node was read: first character and the one behind the last.
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Pattern:
    """Text with wildcards: the pieces between the stars. One piece: no wildcard. ``shop.*`` is ``("shop.", "")``.

    `anywhere`: of a name, the pieces are looked for as in a long text: in any part, whatever the case of A to Z. The
    grammar of the search box has no word for it; Flower's means it.
    """

    pieces: tuple[str, ...]
    anywhere: bool = False


@dataclass(frozen=True)
class Bound:
    """One end of a range as it was written: ``2s``, ``3``, ``-2h``, ``2026-11-22``."""

    text: str
    inclusive: bool = True


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; None: open."""

    low: Bound | None = None
    high: Bound | None = None


@dataclass(frozen=True)
class Missing:
    """No value at all: ``queue:""``."""


Value: TypeAlias = Pattern | Range | Missing


@dataclass(frozen=True)
class Term:
    """One of `values` in a field of :data:`.fields.FIELDS`; the field ``""`` is a bare word or phrase."""

    field: str
    values: tuple[Value, ...]
    span: Span = dataclasses.field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Not:
    child: Node


@dataclass(frozen=True)
class And:
    """Two children or more."""

    children: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Two children or more."""

    children: tuple[Node, ...]


Node: TypeAlias = Term | Not | And | Or


def conjuncts(tree: Node | None) -> tuple[Node, ...]:
    """What has to hold all at once, one for each chip of the page; an OR or a parenthesis is one. None: nothing."""
    if tree is None:
        return ()
    return tree.children if isinstance(tree, And) else (tree,)


def conjunction(nodes: tuple[Node, ...]) -> Node | None:
    """The reverse of :func:`conjuncts`."""
    if len(nodes) > 1:
        return And(nodes)
    return nodes[0] if nodes else None


def terms(tree: Node | None) -> tuple[Term, ...]:
    """Every term of the tree, in its order."""
    if tree is None:
        return ()
    if isinstance(tree, Term):
        return (tree,)
    if isinstance(tree, Not):
        return terms(tree.child)
    return tuple(term for child in tree.children for term in terms(child))


def simple(node: Node) -> tuple[Term, bool] | None:
    """A term of a field, and whether it excludes; None for a bare word and for what is more than a term."""
    excluded = isinstance(node, Not)
    inner = node.child if isinstance(node, Not) else node
    return (inner, excluded) if isinstance(inner, Term) and inner.field else None
