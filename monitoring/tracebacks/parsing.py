"""From the text of a traceback to its exceptions. Pure, and linear in the length of any text.

The format is that of ``traceback.TracebackException.format`` (CPython, Lib/traceback.py). The text may be cut anywhere,
be redacted in places, or be no traceback at all: nothing raises, and what is not understood is kept as text.
"""

from __future__ import annotations

import re

from .chain import Chain
from .contents import Traceback

#: Longest text that is read, in characters, and lines of it; what is longer is a traceback of this much.
MAX_CHARACTERS = 1_000_000
MAX_LINES = 20_000
#: Groups within groups that are told apart; deeper ones are part of the last.
MAX_DEPTH = 20

# Members of a group stand behind a margin: "  | " for the group, "    | " for a member, and so on.
_MARGIN = re.compile(r"(?P<indent>(?:  ){1,40})\|(?: (?P<content>.*)|\Z)", re.DOTALL)
_GROUP_HEAD = re.compile(r"  \+ (?P<content>Exception Group Traceback \(most recent call last\):)\Z")
_MEMBER = re.compile(r"(?P<indent>(?:  ){1,40})\+(?P<first>-\+)?-{16} (?:\d{1,9}|\.\.\.) -{16}\Z")
_END = re.compile(r"(?P<indent>(?:  ){1,40})\+-{36}\Z")


def parse(text: str) -> Traceback:
    """The exceptions of a traceback; ``Traceback(text=text)`` for what is none."""
    reader = _Reader()
    for line in text[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES]:
        reader.feed(line.rstrip("\r"))
    chain = reader.finish()
    if not any(raised.frames or raised.members for raised in chain.exceptions):
        return Traceback(text=text)
    return Traceback(chain.exceptions, chain.text)


class _Reader:
    """Gives each line to the chain that it belongs to: the outer one, or that of a group's member."""

    def __init__(self) -> None:
        self._chains = [Chain()]
        self._in_group = False

    def feed(self, line: str) -> None:
        head = _GROUP_HEAD.match(line)
        if head:
            self._close(1)
            self._in_group = True
            self._chains[0].feed(head["content"])
        elif self._in_group:
            self._feed_group(line)
        else:
            self._chains[0].feed(line)

    def finish(self) -> Chain:
        self._close(1)
        self._chains[0].finish()
        return self._chains[0]

    def _feed_group(self, line: str) -> None:
        member = _MEMBER.match(line)
        if member:
            self._begin_member(len(member["indent"]) // 2 + bool(member["first"]))
            return
        end = _END.match(line)
        if end:
            self._close(len(end["indent"]) // 2 - 1)
            return
        margin = _MARGIN.match(line)
        if margin:
            depth = min(len(margin["indent"]) // 2, len(self._chains))
            self._close(depth)
            self._chains[-1].feed(margin["content"] or "")
        else:  # behind the group: what joins it to the next exception, which has no margin
            self._close(1)
            self._in_group = False
            self._chains[0].feed(line)

    def _begin_member(self, depth: int) -> None:
        """`depth`: 2 for a member of the outermost group."""
        self._close(min(depth, MAX_DEPTH) - 1)
        self._chains.append(self._chains[-1].begin_member())

    def _close(self, depth: int) -> None:
        """Leave only the `depth` outermost chains open."""
        while len(self._chains) > max(1, depth):
            self._chains.pop().finish()
