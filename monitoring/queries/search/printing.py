"""From the tree back to text, so that reading it again gives an equal tree. Pure."""

from __future__ import annotations

from .fields import BY_NAME, Kind
from .tree import And, Missing, Node, Not, Or, Pattern, Range, Term, Value
from .words import OPERATORS

#: Beside letters and digits; all other signs stand in quotes.
_PLAIN = frozenset("_.@/-+")


def text_of(tree: Node | None) -> str:
    """What could have been typed."""
    if tree is None:
        return ""
    if isinstance(tree, Term):
        return _term(tree)
    if isinstance(tree, Not):
        return f"-{_operand(tree.child)}" if not isinstance(tree.child, Not) else f"-({text_of(tree.child)})"
    if isinstance(tree, Or):
        return " OR ".join(
            f"({text_of(child)})" if isinstance(child, Or) else text_of(child) for child in tree.children
        )
    return " ".join(_operand(child) for child in tree.children)


def value_text(field: str, value: Value) -> str:
    """A value as it stands behind its colon, or in a parameter of a URL."""
    if isinstance(value, Missing):
        return '""'
    if isinstance(value, Range):
        return _range(BY_NAME[field].kind, value)
    return "*".join(_piece(piece) for piece in value.pieces)


def exact_text(text: str) -> str:
    """A name or an id as a value that means itself, whatever signs it has: no list, no pattern, no range."""
    return _piece(text)


def _operand(node: Node) -> str:
    return f"({text_of(node)})" if isinstance(node, And | Or) else text_of(node)


def _term(term: Term) -> str:
    if term.field:
        return f"{term.field}:{','.join(value_text(term.field, value) for value in term.values)}"
    [pattern] = term.values
    assert isinstance(pattern, Pattern)
    first, *rest = pattern.pieces
    # Else the sign would exclude, or the word would be an operator.
    is_sign = first.startswith("-") or (not rest and first in OPERATORS)
    return "*".join([_quoted(first) if is_sign else _piece(first), *map(_piece, rest)])


def _piece(piece: str) -> str:
    return piece if all(letter.isalnum() or letter in _PLAIN for letter in piece) else _quoted(piece)


def _quoted(piece: str) -> str:
    escaped = piece.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _range(kind: Kind, value: Range) -> str:
    low, high = value.low, value.high
    if low is not None and low == high and (kind is Kind.COUNT or _is_absolute(kind, low.text)):
        written = low.text
    elif low is not None and high is not None:
        written = f"{low.text}..{high.text}"
    elif low is not None:
        written = f"{'>=' if low.inclusive else '>'}{low.text}"
    else:
        assert high is not None
        written = f"{'<=' if high.inclusive else '<'}{high.text}"
    return f'"{written}"' if " " in written else written


def _is_absolute(kind: Kind, text: str) -> bool:
    return kind is Kind.TIME and text[0].isdigit()
