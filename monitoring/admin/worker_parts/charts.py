"""How a worker did over time, as charts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ...queries.worker_history import History, history
from ...time_steps import MINUTE
from ..chart_range import ChartRange
from ..charts import Chart, Series
from .view import WorkerView

#: Ranges to choose from: minutes are kept for a week, hours for 90 days.
RANGES = ("1h", "6h", "24h", "7d", "30d")


def charts(view: WorkerView, names: tuple[str, ...]) -> tuple[ChartRange, list[Chart]]:
    """Those of ``busy``, ``load`` and ``rate`` that are wanted; none for a user of limited visibility."""
    wanted = ChartRange.of(view.request, view.now, RANGES, "1h")
    found = history(view.visibility, view.worker.hostname, wanted.start, wanted.end)
    if found is None:
        return wanted, []
    makers = {"busy": _busy, "load": _load, "rate": _rate}
    return wanted, [makers[name](view, found, wanted) for name in names]


def _busy(view: WorkerView, found: History, wanted: ChartRange) -> Chart:
    concurrency = view.worker.concurrency
    unit = _("of %(count)s at once") % {"count": concurrency} if concurrency else _("tasks")
    # A sample of a minute has what its first heartbeat said; only of several of them there is a mean.
    label = _("Running, as each minute began") if found.step == MINUTE else _("Running, mean")
    active = Series(label, _rounded(found.active), "s1")
    return _chart(
        "busy", _("Running tasks"), unit, found, wanted, active, Series(_("Most"), found.most_active, "s6")
    )


def _load(view: WorkerView, found: History, wanted: ChartRange) -> Chart:
    load = [
        Series(_("1 min"), _rounded(found.load_1), "s2"),
        Series(_("5 min"), _rounded(found.load_5), "s5"),
        Series(_("15 min"), _rounded(found.load_15), "s6"),
    ]
    return _chart("load", _("CPU load"), _("load average of its host"), found, wanted, *load)


def _rate(view: WorkerView, found: History, wanted: ChartRange) -> Chart:
    rates = [
        Series(_("Tasks done"), _rounded(found.processed_per_second), "s1"),
        Series(_("Events"), _rounded(found.events_per_second), "s6"),
    ]
    return _chart("rate", _("Throughput"), _("per second"), found, wanted, *rates)


def _chart(key: str, title: str, unit: str, found: History, wanted: ChartRange, *series: Series) -> Chart:
    is_newest = bool(found.times) and (wanted.end - found.times[-1]).total_seconds() < found.step
    return Chart(
        f"mon-chart-{key}", title, unit, wanted.start, wanted.end, found.times, series, filling=is_newest
    )


def _rounded(values: list[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 2) for value in values]
