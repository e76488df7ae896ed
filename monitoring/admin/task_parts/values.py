"""Arguments and results: as a tree where they can be read, with who cut and who redacted them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ... import formatting
from ...ingest.redaction import MARK, UNREADABLE
from ...ingest.text import CUT_MARK
from ...literals.tree import MAX_NODES, Kind, Node, read

#: Celery cuts at 1,024 characters (``argsrepr_maxsize``, ``Task.resultrepr_maxsize``); what it cut is about as long.
CELERY_CUTS_FROM = 1_000


@dataclass(frozen=True)
class Value:
    """`tree` is None where the text is no literal. `notes` are sentences: what is missing, and why."""

    text: str
    tree: Node | None
    notes: list[str]
    items: int


def value(text: str | None) -> Value | None:
    """None where nothing is known."""
    if text is None:
        return None
    tree = read(text)
    return _value(text, tree, _notes(text, tree))


def json_value(text: str) -> Value:
    """Of JSON, indented. All of it is there: nobody has cut it, and what is too large for a tree is no less JSON."""
    tree = read(text)
    notes = _notes_of_monitor(text)
    if tree is None:
        words = {"count": formatting.number(MAX_NODES)}
        notes.append(
            _("Too large for a tree, which has at most %(count)s values: shown as indented JSON.") % words
        )
    return _value(text, tree, notes)


def _value(text: str, tree: Node | None, notes: list[str]) -> Value:
    return Value(text, tree, notes, len(tree.children) if tree else 0)


def _notes(text: str, tree: Node | None) -> list[str]:
    if text == UNREADABLE:
        return [_("Could not be searched for secrets, so it was not kept.")]
    notes = []
    if (tree is not None and _has(tree, Kind.CUT)) or (len(text) >= CELERY_CUTS_FROM and "..." in text):
        notes.append(
            _("Celery cut this: an event carries at most 1,024 characters and three levels of a value.")
        )
    notes += _notes_of_monitor(text)
    if tree is None and not notes:
        notes.append(_("Not a Python literal: shown as it came."))
    return notes


def _notes_of_monitor(text: str) -> list[str]:
    notes = []
    if CUT_MARK.search(text[-100:]):
        notes.append(_("The monitor cut this at MAX_TEXT_LENGTH."))
    if MARK in text:
        notes.append(_("Redacted by the rules of REDACT_KEYS and REDACT_PATTERNS before it was stored."))
    return notes


def _has(node: Node, kind: Kind) -> bool:
    return node.kind is kind or any(_has(child, kind) for child in node.children)


def size_words(text: str) -> str:
    return formatting.size(len(text.encode("utf-8", "replace")))
