"""Which failures are the same one: a digest of what was raised, and where in the project's own code. Pure.

The fingerprint of a failure is made in two steps, since the task's name comes with other events than its end: `Places`
digests the exception type and the place (once, when the failure is decoded), :func:`fingerprint_of` joins the name.
``ingest/stores/derivation_sql.py`` has the second step once more in SQL.

A place is the deepest :data:`OWN_FRAMES` frames of the project's own code in the exception that was raised in the end;
where it has none, those of its cause; where no exception has any, the deepest frame of all. Of a frame count the file
and the function, neither its line (which moves with every change above it) nor its folder (which moves with releases).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .contents import Frame, Raised
from .ownership import is_own, short_path
from .parsing import parse

#: Own frames that count, deepest first. Fewer would join whatever fails in one helper, more would tell apart every way
#: to it.
OWN_FRAMES = 3
#: Characters of a fingerprint: 64 bits in hexadecimal.
LENGTH = 16
#: Stands for what differs from one run or release to the next.
NOISE = "*"

#: UUIDs; hexadecimal that has a digit, from eight characters on; numbers from four digits on (dates, pids, ports).
_NOISE = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|0x[0-9a-f]+"
    r"|(?<![a-z0-9])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![a-z0-9])"
    r"|[0-9]{4,}",
    re.IGNORECASE,
)
_HEAD = "Traceback (most recent call last):\n"
#: The frames of an exception are all that is indented below its head.
_BEHIND_FRAMES = re.compile(r"\n(?=[^ \n])")
#: What only a whole reading understands (ingest/text.py); and so are exception groups, whose heads begin no line.
_CUT = "[cut from the middle: "
#: Characters of a text that is read as a whole, from its end: deeper causes are not worth the time.
_LONGEST = 20_000
#: Frames that are remembered; what fails again and again is nearly always at the same places.
_REMEMBERED = 1_024
#: Characters of frames that are remembered as they are; of longer ones a digest is, which takes less room.
_LONGEST_KEY = 8_192


@dataclass(frozen=True)
class Place:
    """Where something was raised. `own`: in the project's own code. `line` is that of one example."""

    path: str
    line: int
    function: str
    own: bool


class Places:
    """Digests of exception types and places, with one idea of which code is the project's own.

    `own_code` is ``MONITORING["OWN_CODE"]``. Not safe for use by several threads at once.
    """

    def __init__(self, own_code: Sequence[str] = ()) -> None:
        self._own_code = own_code
        self._known: dict[tuple[str | None, str | bytes], str] = {}

    def digest(self, exception_type: str | None, traceback: str | None) -> str:
        """:data:`LENGTH` hexadecimal characters. Never raises.

        Cost: some microseconds for frames that came lately; else those of reading a traceback, up to a millisecond.
        """
        frames = _last_frames(traceback or "")
        if frames is None:
            return _digest(
                exception_type, _deepest(parse((traceback or "")[-_LONGEST:]).exceptions, self._own_code)
            )
        key = (exception_type, frames if len(frames) <= _LONGEST_KEY else _hash(frames))
        known = self._known.get(key)
        if known is None:
            raised = parse(f"{frames}\nE").exceptions[-1:]
            found = _own_frames(raised, self._own_code)
            if not found and traceback is not None and traceback.count(_HEAD) > 1:
                # No own frame in what was raised in the end: its cause decides, which differs from time to time.
                exceptions = parse(traceback[-_LONGEST:]).exceptions
                return _digest(exception_type, _deepest(exceptions, self._own_code))
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[key] = _digest(exception_type, found or _deepest(raised, self._own_code))
        return known


def fingerprint_of(name: str | None, place: str | None) -> str:
    """The fingerprint of a failed task, by its name and what :meth:`Places.digest` said."""
    text = f"{name or ''}\n{place or ''}"
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def place_of(traceback: str | None, own_code: Sequence[str] = ()) -> Place | None:
    """Where it was raised, for people: the deepest frame that counts; None where the text has no frame."""
    exceptions = parse((traceback or "")[-_LONGEST:]).exceptions
    frames = _deepest(exceptions, own_code)
    if not frames:
        return None
    frame = frames[0]
    return Place(short_path(frame.path), frame.line, frame.function, is_own(frame.path, own_code))


def without_noise(text: str) -> str:
    """`text` without ids, addresses and long numbers: the same for every run."""
    return _NOISE.sub(NOISE, text)


def _last_frames(traceback: str) -> str | None:
    """The frames of what was raised in the end, as text; None where a whole reading has to find them."""
    start = traceback.rfind(_HEAD)
    if start < 0 or (start and traceback[start - 1] != "\n") or _CUT in traceback:
        return None
    behind = _BEHIND_FRAMES.search(traceback, start + len(_HEAD) - 1)
    if behind is None or behind.start() < start + len(_HEAD):
        return None
    return traceback[start : behind.start()]


def _deepest(exceptions: Sequence[Raised], own_code: Sequence[str]) -> list[Frame]:
    """The frames that count, deepest first."""
    own = _own_frames(exceptions, own_code)
    if own:
        return own
    return next(([raised.frames[-1]] for raised in reversed(exceptions) if raised.frames), [])


def _own_frames(exceptions: Sequence[Raised], own_code: Sequence[str]) -> list[Frame]:
    """The deepest own frames of the last exception that has any; a function that calls itself counts once."""
    for raised in reversed(exceptions):
        found: list[Frame] = []
        for frame in reversed(raised.frames):
            if not is_own(frame.path, own_code):
                continue
            if not found or _said(frame) != _said(found[-1]):
                found.append(frame)
            if len(found) == OWN_FRAMES:
                break
        if found:
            return found
    return []


def _said(frame: Frame) -> str:
    return without_noise(f"{short_path(frame.path)} {frame.function}")


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _digest(exception_type: str | None, frames: Iterable[Frame]) -> str:
    text = "\n".join([without_noise(exception_type or ""), *map(_said, frames)])
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:LENGTH]
