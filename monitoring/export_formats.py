"""How rows are written into files: CSV that no spreadsheet executes, and JSON Lines. Pure: no Django."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

#: A cell that begins with one of these is a formula to some spreadsheet (OWASP, "CSV Injection"). Excel takes the
#: full-width forms that Japanese and Chinese keyboards type as well, which NFKC maps to these.
_FORMULA = frozenset("=+-@")
#: What some spreadsheet skips before it looks: blanks, control characters, marks of the reading direction.
_SKIPPED_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z", re.ASCII)


def csv_cell(value: Any) -> str:
    """A cell: times in ISO 8601 (UTC), numbers as Python writes them, nothing for None.

    A text that a spreadsheet could take for a formula gets an apostrophe before it, which shows it as text.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if looks_like_formula(text) else text


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet may execute a cell of this text."""
    if text.startswith(("\t", "\r", "\n", "\0")):
        return True
    if _NUMBER.match(text):
        return False
    for letter in text:
        if unicodedata.category(letter) in _SKIPPED_CATEGORIES:
            continue
        return unicodedata.normalize("NFKC", letter)[0] in _FORMULA
    return False


def csv_line(values: Iterable[Any]) -> bytes:
    """One record as RFC 4180 has it, in UTF-8."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow([csv_cell(value) for value in values])
    return buffer.getvalue().encode("utf-8", "replace")


def json_line(names: Sequence[str], values: Iterable[Any]) -> bytes:
    """One JSON object and a line feed; times as ISO 8601 (UTC), what JSON has no number for as null."""
    row = {name: _json_value(value) for name, value in zip(names, values, strict=True)}
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
