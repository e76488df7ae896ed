"""One chain of exceptions: a cause, what it caused, and so on, line by line. Pure."""

from __future__ import annotations

import re

from .contents import Frame, Raised, Relation

#: Frames of one exception that are kept: the outermost half and the innermost half.
MAX_FRAMES = 2_000
#: Lines of source that Python 3.13 writes for one frame at most.
MAX_SOURCE = 12

RELATIONS = {
    "The above exception was the direct cause of the following exception:": Relation.CAUSE,
    "During handling of the above exception, another exception occurred:": Relation.CONTEXT,
}
_HEADS = frozenset(
    {"Traceback (most recent call last):", "Exception Group Traceback (most recent call last):"}
)
_FRAME = re.compile(r'  File "([^"]{1,4096})", line (\d{1,9})(?:, in (.*))?\Z')
_REPEATED = re.compile(r"  \[Previous line repeated (\d{1,9}) more times?\]\Z")
#: What the monitor puts in place of the middle of a long traceback (ingest/text.py).
_CUT = re.compile(r"  … \[cut from the middle: [0-9,]+ characters\]\Z")
_MARKS = re.compile(r"[ ~^]+\Z")
_TITLE = re.compile(r"((?:[^\W\d]\w*\.)*[^\W\d]\w*)(?:: ?(.*)|\Z)", re.DOTALL)
_MORE = re.compile(r"and (\d{1,9}) more exceptions?\Z")


class Chain:
    """Reads lines without their margin. `exceptions` are those that were found, `text` what stood before the first."""

    def __init__(self, member_of: Raised | None = None) -> None:
        self.exceptions: list[Raised] = []
        self.text = ""
        self._member_of = member_of
        self._current: Raised | None = None
        self._in_frames = False
        self._lines: list[str] = []
        self._relation = Relation.NOTHING

    def feed(self, line: str) -> None:
        if line in _HEADS:
            self._begin()
            self._in_frames = True
        elif line in RELATIONS:
            self._end(joined=True)
            self._relation = RELATIONS[line]
        elif _CUT.match(line):
            if (
                not self._in_frames or self._current is None
            ):  # the head of the next one is among what was cut out
                self._begin()
                self._in_frames = True
        elif self._in_frames and self._current is not None and (line.startswith("  ") or not line):
            self._frame(self._current, line)
        else:
            # The first line behind the frames is the exception's; all that follow are its message.
            self._in_frames = False
            self._lines.append(line)

    def begin_member(self) -> Chain:
        """The chain of the next member of the group that was read last."""
        if self._current is not None:
            group = self._current
            self._title(group)
        else:  # a group that was never raised has no head; or the head was cut off
            before = len(self.exceptions)
            self._end()
            if len(self.exceptions) == before:
                self.exceptions.append(Raised(self._relation))
            group = self._current = self.exceptions[-1]
        member = Chain(group)
        group.members.append(member.exceptions)
        return member

    def finish(self) -> None:
        self._end()
        if self._member_of is not None and not self.exceptions:
            more = _MORE.match(self.text.strip())
            self._member_of.members = [
                each for each in self._member_of.members if each is not self.exceptions
            ]
            self._member_of.more_members += int(more[1]) if more else 1

    def _begin(self) -> None:
        self._end()
        self._current = Raised(self._relation)
        self._relation = Relation.NOTHING
        self.exceptions.append(self._current)

    def _end(self, joined: bool = False) -> None:
        """The exception that was being read is complete; `joined`: the text says that another one came of it."""
        if self._current is not None:
            self._title(self._current)
            _bound(self._current)
            self._current = None
        elif any(line.strip() for line in self._lines):
            self._without_head(joined)
        self._lines = []
        self._in_frames = False

    def _without_head(self, joined: bool) -> None:
        """An exception that was never raised has neither head nor frames; other text has its place before the first."""
        text = "\n".join(self._lines).strip("\n")
        match = _TITLE.match(text)
        expected = joined or self._member_of is not None or self._relation is not Relation.NOTHING
        if match and expected and not _MORE.match(text):
            self.exceptions.append(Raised(self._relation, match[1], match[2] or ""))
            self._relation = Relation.NOTHING
        elif not self.exceptions:
            self.text = f"{self.text}\n{text}".strip("\n")

    def _title(self, raised: Raised) -> None:
        text = "\n".join(self._lines).strip("\n")
        self._lines = []
        if not text or raised.type or raised.message:
            return
        match = _TITLE.match(text)
        raised.type, raised.message = (match[1], match[2] or "") if match else ("", text)

    def _frame(self, raised: Raised, line: str) -> None:
        match = _FRAME.match(line)
        if match:
            raised.frames.append(Frame(match[1], int(match[2]), match[3] or ""))
            return
        if not raised.frames:
            return
        frame = raised.frames[-1]
        repeated = _REPEATED.match(line)
        if repeated:
            frame.repeated += int(repeated[1])
        elif line.strip() and not _MARKS.match(line) and len(frame.source) < MAX_SOURCE:
            frame.source.append(line[4:] if line.startswith("    ") else line.strip())


def _bound(raised: Raised) -> None:
    extra = len(raised.frames) - MAX_FRAMES
    if extra > 0:
        half = MAX_FRAMES // 2
        raised.left_out = extra
        raised.frames = raised.frames[:half] + raised.frames[-half:]
