"""Tables for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .. import formatting
from .plain import plain

#: Characters of one cell; ids are never cut, so that they can be copied.
LONGEST = 60
_GAP = "  "

Style = Callable[[str, str], str]


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    whole: Sequence[str] = (),
    style: Style | None = None,
) -> list[str]:
    """Lines of columns that are as wide as their longest cell. Cells are cut with "…", but for those of `whole`.

    `style(column, cell)` may colour a cell; what it adds takes no room.
    """
    cells = [[_cell(text, name in whole) for name, text in zip(header, row, strict=True)] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(header, *cells, strict=True)]
    lines = [_GAP.join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip()]
    for row in cells:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        if style is not None:
            padded = [
                style(name, text) + pad[len(text) :]
                for name, text, pad in zip(header, row, padded, strict=True)
            ]
        lines.append(_GAP.join(padded).rstrip())
    return lines


def pairs(values: Iterable[tuple[str, str]]) -> list[str]:
    """``name   value`` for all that have one."""
    known = [(name, plain(value)) for name, value in values if value]
    width = max((len(name) for name, _value in known), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in known]


def _cell(text: str, is_whole: bool) -> str:
    found = plain(text)
    return found if is_whole else formatting.cut(found, LONGEST)
