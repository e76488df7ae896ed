"""What is wrong with a search, as a value: said at its place, never raised. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """`code` names the kind (for tests and for pages that say it otherwise), `message` is a plain sentence, `position`
    and `length` the characters of the parameter that it is about, and `parameter` the one of the URL they stand in."""

    code: str
    message: str
    position: int = 0
    length: int = 0
    parameter: str = field(default="q")


class Stop(Exception):
    """Ends the reading of one text at its first mistake; never leaves this package."""

    def __init__(self, code: str, message: str, position: int, length: int = 1) -> None:
        super().__init__(message)
        self.mistake = Mistake(code, message, position, length)
