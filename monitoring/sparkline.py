"""The shape of a sparkline. Pure; static/monitoring/js/live/sparkline.js draws the same."""

from __future__ import annotations

from collections.abc import Sequence

#: The box that the shape is drawn in, and the room above its highest value.
WIDTH, HEIGHT, ROOM = 100, 24, 2


def sparkline(values: Sequence[float | None]) -> tuple[str, str]:
    """The ``d`` of the line and of the area below it. Scaled to its own maximum; None leaves a hole."""
    top = max((value for value in values if value is not None), default=0) or 1
    step = WIDTH / max(1, len(values) - 1)
    line, area = [], []
    run: list[str] = []
    for index, value in enumerate([*values, None]):
        if value is not None:
            y = HEIGHT - value / top * (HEIGHT - ROOM)
            run.append(f"{index * step:.1f} {y:.1f}")
        elif run:
            line.append(f"M{'L'.join(run)}")
            first, last = run[0].split()[0], run[-1].split()[0]
            area.append(f"M{first} {HEIGHT}L{'L'.join(run)}L{last} {HEIGHT}Z")
            run = []
    return "".join(line), "".join(area)
