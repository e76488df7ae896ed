"""Colours of states in a terminal that has colours; the word always stands beside them."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from .table import Style

_GOOD, _BAD, _WARNING = (
    frozenset({"SUCCESS", "online"}),
    frozenset({"FAILURE", "REJECTED", "LOST", "offline"}),
    frozenset({"RETRY", "REVOKED"}),
)


def coloured(command: BaseCommand) -> Style:
    """By Django's own styles, which ``--no-color`` turns off, and a pipe does too."""

    def style(column: str, cell: str) -> str:
        if column != "STATE":
            return cell
        if cell in _GOOD:
            return str(command.style.SUCCESS(cell))
        if cell in _BAD:
            return str(command.style.ERROR(cell))
        return str(command.style.WARNING(cell)) if cell in _WARNING else cell

    return style
