"""The lines around a frame, where the web process has the same source as the worker."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from ...ingest.redaction_settings import configured_redactor
from ...tracebacks.contents import Frame

#: Lines before and after.
AROUND = 2
#: Longest file that is read, in bytes, and longest line that is shown, in characters.
MAX_SIZE = 1_000_000
MAX_LINE = 300


@dataclass(frozen=True)
class SourceLine:
    number: int
    text: str
    current: bool


def source_lines(frame: Frame) -> list[SourceLine]:
    """The lines around a frame, redacted; only its own where the file is not here or has another text at that line.

    A traceback is hostile text: it may name any file. So only Python files below ``sys.path`` are opened, and nothing
    is shown of one unless the traceback already had its line.
    """
    known = [SourceLine(frame.line, text[:MAX_LINE], True) for text in frame.source[:1]]
    if not frame.source or not frame.source[0].strip():
        return known
    lines = _lines(frame.path)
    index = frame.line - 1
    if not 0 <= index < len(lines) or lines[index].strip() != frame.source[0].strip():
        return known
    first, last = max(0, index - AROUND), index + AROUND + 1
    redacted = configured_redactor().text("\n".join(lines[first:last])).split("\n")
    if len(redacted) != len(lines[first:last]):  # a secret went over several lines
        return known
    return [
        SourceLine(number, text[:MAX_LINE], number == frame.line)
        for number, text in enumerate(redacted, first + 1)
    ]


def _lines(path: str) -> list[str]:
    """Of a Python file below ``sys.path``; none of any other, and of what cannot be read."""
    if not path.endswith(".py") or "\0" in path or not Path(path).is_absolute():
        return []
    try:
        real = Path(path).resolve()
        if real.suffix != ".py" or not any(real.is_relative_to(Path(root).resolve()) for root in sys.path):
            return []
        found = real.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_SIZE:
            return []
        return real.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return []
