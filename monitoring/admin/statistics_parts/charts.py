"""The charts of statistics, from the same sums as the tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import formatting
from ...queries.queue_depth import total_depth
from ...queries.statistics_overview import Overview
from ...queries.statistics_sums import RUNTIMES, WAITS
from ..charts import Chart, Mark, Series
from .view import StatisticsView

#: Queues that have a line of their own.
QUEUES = 5
#: From the axis up: column of the sums, label, colour, and whether it is shown where there was none.
OUTCOMES = (
    ("succeeded", gettext_lazy("Succeeded"), "success-area", True),
    ("retried", gettext_lazy("Retried"), "retry-solid", True),
    ("failed", gettext_lazy("Failed"), "failure-solid", True),
    ("revoked", gettext_lazy("Revoked"), "revoked-solid", False),
    ("rejected", gettext_lazy("Rejected"), "rejected-solid", False),
    ("lost", gettext_lazy("Lost"), "lost-solid", False),
)


def throughput(view: StatisticsView, found: Overview, marks: Sequence[Mark]) -> Chart:
    """How many tasks ended in each bucket, by outcome, and how many attempts were retried."""
    series = [
        Series(str(label), found.values(lambda sums, column=column: sums.counts[column]), colour)  # type: ignore[misc]
        for column, label, colour, is_always in OUTCOMES
        if is_always or found.now.counts[column]
    ]
    unit = _("tasks each %(span)s, by outcome") % {"span": _step(view)}
    return _chart(view, "throughput", _("Throughput"), unit, series, marks, stacked=True)


def failure_rate(view: StatisticsView, found: Overview, marks: Sequence[Mark]) -> Chart:
    rate = Series(_("Failed"), found.values(lambda sums: sums.share("failed")), "failure-solid")
    return _chart(view, "failure-rate", _("Failure rate"), _("of ended tasks"), [rate], marks, kind="share")


def run_time(view: StatisticsView, found: Overview, marks: Sequence[Mark]) -> Chart:
    series = _percentiles(found, RUNTIMES, ("p50", "p95", "p99"))
    return _chart(view, "runtime", _("Run time"), _("percentiles"), series, marks, kind="duration")


def wait(view: StatisticsView, found: Overview, marks: Sequence[Mark]) -> Chart:
    series = _percentiles(found, WAITS, ("p50", "p95"))
    return _chart(view, "wait", _("Queue wait"), _("percentiles"), series, marks, kind="duration")


def depth(view: StatisticsView, by_queue: Mapping[str, list[float | None]], marks: Sequence[Mark]) -> Chart:
    """What waited in the deepest queues, and in all others together."""
    ranked = sorted(by_queue.items(), key=lambda item: (-max(value or 0 for value in item[1]), item[0]))
    shown, rest = ranked[:QUEUES], ranked[QUEUES:]
    series = [
        Series(name, _whole(values), f"s{number}") for number, (name, values) in enumerate(shown, start=1)
    ]
    if rest:
        series.append(Series(_("other"), _whole(total_depth(dict(rest))), "s6"))
    return _chart(view, "depth", _("Queue depth"), _("messages that wait, mean"), series, marks)


def _whole(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 1 if value < 10 else None) for value in values]


def _percentiles(found: Overview, column: str, names: Sequence[str]) -> list[Series]:
    shares = [int(name[1:]) / 100 for name in names]
    values = found.values(lambda sums: sums.percentiles(column, shares))
    return [
        Series(name, [None if one is None else _rounded(one) for one in each], name, dotted=name == "p50")
        for name, each in zip(names, zip(*values, strict=True), strict=True)
    ]


def _chart(
    view: StatisticsView,
    key: str,
    title: str,
    unit: str,
    series: Sequence[Series],
    marks: Sequence[Mark],
    *,
    kind: str = "number",
    stacked: bool = False,
) -> Chart:
    period = view.period
    return Chart(
        f"mon-chart-{key}",
        title,
        unit,
        period.start,
        period.end,
        period.edges[:-1],
        series,
        filling=view.is_open,
        kind=kind,
        stacked=stacked,
        marks=marks,
        step=period.step,
    )


def _step(view: StatisticsView) -> str:
    """The length of a bucket in words; a day may be an hour longer or shorter."""
    return formatting.span(view.period.step)


def _rounded(seconds: float) -> float:
    """Four significant figures: more than is written, and less to send."""
    return float(f"{seconds:.4g}")
