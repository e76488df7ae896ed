"""Long lists whose middle is folded away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Folded(Generic[T]):
    """The first rows, how many are `hidden`, and the last ones; all are in `first` where none are hidden."""

    first: Sequence[T]
    hidden: int
    last: Sequence[T]

    @property
    def total(self) -> int:
        return len(self.first) + self.hidden + len(self.last)

    def __bool__(self) -> bool:
        return bool(self.first)


def folded(rows: Sequence[T], most: int, unfolded: bool) -> Folded[T]:
    """A quarter of `most` from the beginning and the rest from the end, which is what people ask for."""
    if unfolded or len(rows) <= most:
        return Folded(rows, 0, ())
    begin = most // 4
    return Folded(rows[:begin], len(rows) - most, rows[begin - most :])
