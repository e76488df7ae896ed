"""What a traceback tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Relation(StrEnum):
    """What joins an exception to the one that stands before it in the text (docs of Python, ``raise``)."""

    CAUSE = "cause"  # "The above exception was the direct cause of the following exception"
    CONTEXT = "context"  # "During handling of the above exception, another exception occurred"
    NOTHING = ""  # the first one, and a traceback that follows another without a word


@dataclass
class Frame:
    """A line of the call stack, or, without `function`, the place of a syntax error."""

    path: str
    line: int
    function: str = ""
    #: As Celery sends it: one line; several where Python 3.13 marked an expression of several.
    source: list[str] = field(default_factory=list)
    #: "[Previous line repeated 5 more times]"
    repeated: int = 0


@dataclass
class Raised:
    """One exception with its frames, outermost first, as Python writes them.

    `type` is empty where the text ends before its name. `message` may have several lines. `members` are those of an
    exception group, each a chain of its own; `more_members` counts those that Python left out.
    """

    relation: Relation = Relation.NOTHING
    type: str = ""
    message: str = ""
    frames: list[Frame] = field(default_factory=list)
    left_out: int = 0
    members: list[list[Raised]] = field(default_factory=list)
    more_members: int = 0

    @property
    def depth(self) -> int:
        """Frames of the real stack: repeated ones and those that were left out count."""
        return len(self.frames) + self.left_out + sum(frame.repeated for frame in self.frames)


@dataclass
class Traceback:
    """Exceptions in the order of the text: the cause first, what was raised in the end last.

    `text` is what stands before the first of them, or all of it where there is none: then it is no Python traceback.
    """

    exceptions: list[Raised] = field(default_factory=list)
    text: str = ""
