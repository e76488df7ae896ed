"""The exception of a task or of one of its attempts: own frames open, libraries folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ... import formatting
from ...conf import monitoring_settings
from ...ingest.text import MIDDLE_MARK
from ...models import Task
from ...queries.attempts import Attempt
from ...tracebacks.contents import Relation
from ...tracebacks.parsing import parse
from ...tracebacks.sections import Run, Section, sections
from .source_lines import SourceLine, source_lines

#: Own frames of one traceback whose lines are looked up, innermost first.
MAX_LOOKED_UP = 8
#: Attempts that have a tab of their own: these many of the last.
MAX_TABS = 6
#: Characters of a message that are shown; the whole stands in the text.
MAX_MESSAGE = 2_000
#: Names that one folded run of library frames says in its line.
NAMED = 3


@dataclass(frozen=True)
class ShownRun:
    """`open`: the one that the reader came for. `line` says what is in a folded run of library frames."""

    run: Run
    lines: list[SourceLine] = field(default_factory=list)
    open: bool = False
    line: str = ""


@dataclass(frozen=True)
class ShownSection:
    section: Section
    type: str
    message: str
    joined: str
    runs: list[ShownRun]
    members: list[list[ShownSection]]


@dataclass(frozen=True)
class ExceptionPart:
    """`text`: the traceback as it is stored, from whose middle `cut` characters were left out. `tabs`: number of each
    attempt that raised, whether it is shown, and whether it is the last."""

    type: str
    message: str
    sections: list[ShownSection]
    before: str
    text: str
    frames: int
    cut: int
    tabs: list[tuple[int, bool, bool]]
    hidden_tabs: int


def exception_part(task: Task, attempts: Sequence[Attempt], wanted: str | None) -> ExceptionPart | None:
    """`wanted`: number of the attempt, as the URL has it. None where nothing was raised."""
    raising = [number for number, attempt in enumerate(attempts, 1) if attempt.exception or attempt.traceback]
    chosen = int(wanted) if wanted and wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else None
    exception, text = task.exception, task.traceback
    if chosen in raising:
        attempt = attempts[chosen - 1]
        exception, text = attempt.exception, attempt.traceback
    elif not (exception or text):
        if not raising:
            return None
        # It succeeded in the end: what was raised last before that.
        chosen = raising[-1]
        exception, text = attempts[chosen - 1].exception, attempts[chosen - 1].traceback
    else:
        chosen = raising[-1] if raising else None
    kind, message = formatting.exception_parts(exception or "")
    if chosen is None or task.exception == exception:
        kind = task.exception_type or kind
    parsed, cut = parse(text or ""), MIDDLE_MARK.search(text or "")
    shown = _Shown().of(sections(parsed, monitoring_settings.OWN_CODE))
    if shown and not shown[0].type:
        # A text that is no traceback up to its end; the event has what was raised in a field of its own.
        shown[0] = replace(shown[0], type=kind, message=formatting.cut(message, MAX_MESSAGE))
    elif shown and shown[0].type.rpartition(".")[2] == kind.rpartition(".")[2]:
        kind, message = shown[0].type, shown[0].message or message
    return ExceptionPart(
        kind,
        formatting.cut(message, MAX_MESSAGE),
        shown,
        parsed.text if parsed.exceptions else "",
        text or "",
        sum(raised.depth for raised in parsed.exceptions),
        int(cut["number"].replace(",", "")) if cut else 0,
        [(number, number == chosen, number == len(attempts)) for number in raising[-MAX_TABS:]]
        if len(raising) > 1
        else [],
        max(0, len(raising) - MAX_TABS),
    )


class _Shown:
    """Sections with the lines around their own frames, as long as there are lines to look up."""

    def __init__(self) -> None:
        self._looked_up = 0

    def of(self, found: Sequence[Section]) -> list[ShownSection]:
        return [self._section(section) for section in found]

    def _section(self, section: Section) -> ShownSection:
        runs = []
        is_open = True
        for run in section.runs:
            runs.append(self._run(run, is_open))
            is_open = is_open and not run.own
        return ShownSection(
            section,
            section.raised.type,
            formatting.cut(section.raised.message, MAX_MESSAGE),
            "cause" if section.joined is Relation.CAUSE else section.joined.value,
            runs,
            [self.of(member) for member in section.members],
        )

    def _run(self, run: Run, is_open: bool) -> ShownRun:
        if not run.own:
            named = [
                f"{shown.path}:{shown.frame.line} {shown.frame.function}" for shown in run.frames[:NAMED]
            ]
            return ShownRun(run, line=", ".join(named) + (", …" if len(run.frames) > NAMED else ""))
        frame = run.frames[0].frame
        self._looked_up += 1
        if self._looked_up <= MAX_LOOKED_UP:
            return ShownRun(run, source_lines(frame), open=is_open)
        return ShownRun(run, [SourceLine(frame.line, text, True) for text in frame.source[:1]], open=is_open)
