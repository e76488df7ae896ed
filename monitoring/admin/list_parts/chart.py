"""The histogram above the list as shapes: one path for each state, in a box that stretches with the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ...queries.histogram import Bucket, Histogram
from ...queries.search.editing import remove_field
from .address import ListAddress

#: Height of the tallest bar, in units of the box; a bucket is one unit wide.
HEIGHT = 48
_GAP = 0.16
#: From the axis up: what went wrong first, so that it can be compared.
STACK = ("FAILURE", "LOST", "REJECTED", "REVOKED", "RETRY", "STARTED", "RECEIVED", "PENDING", "SUCCESS")
_LABELS = 4


@dataclass(frozen=True)
class Chart:
    """`layers`: state and path. `low`, `high`: the chosen buckets, the last one not among them; None: no choice.

    A script makes a range of the time `field` from two of `count` buckets, and puts it behind `rest`, the list without
    one; `start` and `step` are in seconds since the epoch.
    """

    field: str
    layers: list[tuple[str, str]]
    count: int
    total: int
    start: int
    step: int
    labels: list[datetime]
    first: datetime
    last: datetime
    rest: str
    low: int | None
    high: int | None
    selected: tuple[datetime, datetime] | None
    exact: bool
    cut: bool

    @property
    def chosen_width(self) -> int:
        return (self.high or 0) - (self.low or 0)

    @property
    def height(self) -> int:
        return HEIGHT


def chart(address: ListAddress, found: Histogram | None) -> Chart | None:
    """None where there is nothing to draw."""
    if found is None or not found.buckets:
        return None
    first, step = found.buckets[0].start, found.step
    low = high = None
    if found.selected is not None:
        low, high = (round((moment - first) / step) for moment in found.selected)
        low = max(0, min(low, len(found.buckets) - 1))
        high = max(low + 1, min(high, len(found.buckets)))
    rest = address.with_tree(remove_field(address.question.tree, found.field, excluded=False))
    each = max(1, len(found.buckets) // _LABELS)
    return Chart(
        field=found.field,
        layers=_layers(found.buckets),
        count=len(found.buckets),
        total=sum(bucket.total for bucket in found.buckets),
        start=int(first.timestamp()),
        step=int(step.total_seconds()),
        labels=[bucket.start for bucket in found.buckets[each : -each // 2 : each]][: _LABELS - 1],
        first=first,
        last=found.buckets[-1].start + step,
        rest=rest.url(),
        low=low,
        high=high,
        # Said as the chip says it: "to 14:42:18" is all of that second.
        selected=found.selected and (found.selected[0], found.selected[1] - timedelta(seconds=1)),
        exact=found.exact,
        cut=found.cut,
    )


def _layers(buckets: tuple[Bucket, ...]) -> list[tuple[str, str]]:
    most = max((bucket.total for bucket in buckets), default=0) or 1
    grounds = [0.0] * len(buckets)
    layers = []
    for state in STACK:
        path = ""
        for index, bucket in enumerate(buckets):
            number = bucket.counts.get(state, 0)
            if not number:
                continue
            # A single task among thousands is still to be seen.
            tall = min(max(number / most * HEIGHT, 1), HEIGHT - grounds[index])
            width = 1 - _GAP
            path += (
                f"M{index + _GAP / 2:.2f} {HEIGHT - grounds[index]:.2f}h{width:.2f}v-{tall:.2f}h-{width:.2f}z"
            )
            grounds[index] += tall
        if path:
            layers.append((state, path))
    return layers
