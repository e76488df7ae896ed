"""Prometheus' text format 0.0.4 and OpenMetrics 1.0.0, written family by family with bounded memory. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md. Both want the samples of one family
together, while the counts come task by task: so each family is a buffer of its own, which goes to a file when it grows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import Enum
from tempfile import SpooledTemporaryFile

#: Lines that are put together before they are written, and bytes of a family that are kept in memory.
_LINES, _IN_MEMORY = 500, 128 * 1024
#: Bytes of one part of the page.
_PART = 64 * 1024

_ESCAPED = re.compile(r'[\\\n"]')
_ESCAPES = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}


class Format(Enum):
    """What a scraper may ask for, by its content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @classmethod
    def accepted(cls, accept: str) -> Format:
        """The best of what an Accept header names; text, which everything understands, where it names none."""
        best, found = 0.0, cls.TEXT
        for part in accept.lower().split(","):
            kind, *parameters = (piece.strip() for piece in part.split(";"))
            values = dict(parameter.partition("=")[::2] for parameter in parameters)
            if kind == "application/openmetrics-text" and values.get("version", "1.0.0") in (
                "1.0.0",
                "0.0.1",
            ):
                format_ = cls.OPENMETRICS
            elif kind in ("text/plain", "text/*", "*/*"):
                format_ = cls.TEXT
            else:
                continue
            quality = _quality(values.get("q", "1"))
            if quality > best:
                best, found = quality, format_
        return found


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def label(name: str, value: str) -> str:
    """One label as it stands between the braces."""
    if _ESCAPED.search(value):
        value = _ESCAPED.sub(lambda match: _ESCAPES[match[0]], value)
    return f'{name}="{value}"'


class _Buffer:
    """Lines of one family, in memory while they are few."""

    def __init__(self, header: str) -> None:
        self._lines = [header]
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed with the page

    def add(self, lines: str) -> None:
        self._lines.append(lines)
        if len(self._lines) >= _LINES:
            self._write()

    def parts(self) -> Iterator[bytes]:
        self._write()
        self._file.seek(0)
        yield from iter(lambda: self._file.read(_PART), b"")

    def close(self) -> None:
        self._file.close()

    def _write(self) -> None:
        self._file.write("".join(self._lines).encode("utf-8", "replace"))
        self._lines.clear()


class Exposition:
    """A page of metrics: make its families, in the order that they are to be in, add samples, read `parts`.

    `labels` are what stands between the braces, "" for none; see :func:`label`. Close it in the end.
    """

    def __init__(self, format_: Format) -> None:
        self.format = format_
        self._buffers: list[_Buffer] = []
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def gauge(self, name: str, words: str) -> Gauge:
        return Gauge(name, self.buffer(name, "gauge", words))

    def counter(self, name: str, words: str) -> Counter:
        """A counter; `name` without its ``_total``."""
        if self.format is Format.OPENMETRICS:
            buffer = self.buffer(name, "counter", words)
            return Counter(name, buffer, buffer)
        return Counter(name, self.buffer(f"{name}_total", "counter", words), self._created(name, words))

    def histogram(self, name: str, words: str, bounds: Sequence[float]) -> Histogram:
        buffer = self.buffer(name, "histogram", words)
        created = buffer if self.format is Format.OPENMETRICS else self._created(name, words)
        return Histogram(name, bounds, buffer, created)

    def raw(self, text: str) -> None:
        """Whole families that somebody else has written in this format, without the mark of its end."""
        self._add(_Buffer(text))

    def parts(self) -> Iterator[bytes]:
        """The page; nothing can be added any more."""
        for buffer in self._buffers:
            yield from buffer.parts()
        if self.format is Format.OPENMETRICS:
            yield b"# EOF\n"

    def buffer(self, name: str, kind: str, words: str) -> _Buffer:
        words = words.replace("\\", "\\\\").replace("\n", "\\n")
        return self._add(_Buffer(f"# HELP {name} {words}\n# TYPE {name} {kind}\n"))

    def _created(self, name: str, words: str) -> _Buffer:
        """The text format has no place for the times in the family itself: they are gauges."""
        return self.buffer(f"{name}_created", "gauge", words)

    def _add(self, buffer: _Buffer) -> _Buffer:
        self._open.callback(buffer.close)
        self._buffers.append(buffer)
        return buffer


class Gauge:
    def __init__(self, name: str, buffer: _Buffer) -> None:
        self._name, self._buffer = name, buffer

    def add(self, labels: str, value: float) -> None:
        self._buffer.add(f"{self._name}{_braces(labels)} {value}\n")


class Counter:
    def __init__(self, name: str, buffer: _Buffer, created: _Buffer) -> None:
        self._name, self._buffer, self._times = name, buffer, created

    def add(self, labels: str, value: float, created: float | None = None) -> None:
        """`created` is when it was zero, in seconds since the epoch; None: that is not known."""
        labels = _braces(labels)
        self._buffer.add(f"{self._name}_total{labels} {value}\n")
        if created is not None:
            self._times.add(f"{self._name}_created{labels} {created}\n")


class Histogram:
    def __init__(self, name: str, bounds: Sequence[float], buffer: _Buffer, created: _Buffer) -> None:
        self._name, self._buffer, self._times = name, buffer, created
        #: The ends of the lines of buckets, up to the count.
        self._ends = [f'le="{float(bound)}"}} ' for bound in bounds] + ['le="+Inf"} ']

    def add(self, labels: str, counts: Sequence[int], total: float, created: float) -> None:
        """`counts` of each bucket alone, one more than there are bounds (``ingest/buckets.py``), and their sum."""
        begin = f"{self._name}_bucket{{{labels}," if labels else f"{self._name}_bucket{{"
        labels, up_to, lines = _braces(labels), 0, []
        for end, count in zip(self._ends, counts, strict=True):
            up_to += count
            lines.append(f"{begin}{end}{up_to}\n")
        lines.append(f"{self._name}_count{labels} {up_to}\n{self._name}_sum{labels} {total}\n")
        self._buffer.add("".join(lines))
        self._times.add(f"{self._name}_created{labels} {created}\n")


def _braces(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""
