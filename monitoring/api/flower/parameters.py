"""Flower's parameters, as Flower reads them (``get_argument``): from the query string or a form. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

Value = TypeVar("Value")
#: What Flower takes for true and for false.
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
#: ``received_start``, ``received_end``.
MINUTE = "%Y-%m-%d %H:%M"
#: ``eta`` and ``expires`` of tasks.
MOMENT = "%Y-%m-%d %H:%M:%S.%f"


class BadParameter(ValueError):
    """Its text is what Flower answers with status 400."""


class Given:
    """Parameters of one request, by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """Raises BadParameter where it has to be there and is not."""
        text = self._values.get(name, default).replace("\0", "").strip()
        if required and not text:
            raise BadParameter(f"Missing argument {name}")
        return text

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self._read(name, "bool", _flag, default))

    def whole(self, name: str, default: int | None = None, *, required: bool = False) -> int | None:
        self.text(name, required=required)
        found: int | None = self._read(name, "int", int, default)
        return found

    def number(self, name: str) -> float | None:
        """Never NaN or infinite: who waits for so long waits for ever."""
        found: float | None = self._read(name, "float", number, None)
        return found

    def _read(self, name: str, kind: str, read: Callable[[str], Value], default: Any) -> Any:
        if name not in self._values:
            return default
        text = self.text(name)
        try:
            return read(text)
        except ValueError as error:
            raise BadParameter(f"Invalid argument '{text}' of type '{kind}'") from error


def number(value: Any) -> float:
    """Raises ValueError for NaN and the infinite too, which ``1e400`` is; TypeError and OverflowError."""
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(value)
    return found


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


def minute(text: str) -> datetime | None:
    """A naive time; None for an empty text. Raises ValueError."""
    return datetime.strptime(text, MINUTE) if text else None  # noqa: DTZ007 - the caller knows the zone


def moment(text: str) -> datetime:
    """A naive time, as the options of tasks have it. Raises ValueError."""
    return datetime.strptime(text, MOMENT)  # noqa: DTZ007 - the caller knows the zone
