"""A traceback as it is read: what was raised in the end first, innermost frame first, libraries folded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .contents import Frame, Raised, Relation, Traceback
from .ownership import is_own, package_of, short_path

#: Frames of one exception that are shown, innermost first; the text has all.
MAX_SHOWN = 40
#: Members of one group that are shown.
MAX_MEMBERS = 20
#: Exceptions of one traceback that are shown, members of groups included.
MAX_SECTIONS = 40


@dataclass(frozen=True)
class ShownFrame:
    """A frame with its path as people know it."""

    frame: Frame
    path: str
    own: bool


@dataclass(frozen=True)
class Run:
    """Frames side by side: one of the project's own, or all of one package in a row."""

    own: bool
    package: str
    frames: tuple[ShownFrame, ...]

    @property
    def depth(self) -> int:
        return sum(1 + shown.frame.repeated for shown in self.frames)


@dataclass
class Section:
    """One exception. `joined` says how the section before it came of it: it is that one's cause or context.

    `hidden` counts frames that are not shown: the outermost.
    """

    raised: Raised
    joined: Relation
    runs: list[Run]
    hidden: int
    members: list[list[Section]] = field(default_factory=list)
    hidden_members: int = 0


def sections(traceback: Traceback, own_code: Sequence[str] = ()) -> list[Section]:
    """What was raised in the end comes first, then its cause, then that one's."""
    return _Sections(own_code).of(traceback.exceptions)


class _Sections:
    def __init__(self, own_code: Sequence[str]) -> None:
        self._own_code = own_code
        self._left = MAX_SECTIONS

    def of(self, exceptions: Sequence[Raised]) -> list[Section]:
        made: list[Section] = []
        joined = Relation.NOTHING
        for raised in reversed(exceptions):
            if self._left <= 0:
                break
            self._left -= 1
            made.append(self._section(raised, joined))
            joined = raised.relation
        return made

    def _section(self, raised: Raised, joined: Relation) -> Section:
        innermost = raised.frames[::-1][:MAX_SHOWN]
        members = [self.of(member) for member in raised.members[:MAX_MEMBERS]]
        shown = [member for member in members if member]
        return Section(
            raised,
            joined,
            self._runs(innermost),
            hidden=len(raised.frames) - len(innermost) + raised.left_out,
            members=shown,
            hidden_members=len(raised.members) - len(shown) + raised.more_members,
        )

    def _runs(self, frames: Sequence[Frame]) -> list[Run]:
        runs: list[Run] = []
        for frame in frames:
            own = is_own(frame.path, self._own_code)
            shown = ShownFrame(frame, short_path(frame.path), own)
            package = "" if own else package_of(frame.path)
            if runs and not own and not runs[-1].own and runs[-1].package == package:
                runs[-1] = Run(False, package, (*runs[-1].frames, shown))
            else:
                runs.append(Run(own, package, (shown,)))
        return runs
