"""Statistics: series and totals of a range, the tasks that stand out, exceptions, and when tasks run."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...queries.statistics_range import CHART_STEPS, LEAST_POINTS, MOST_POINTS, Range
from ...queries.statistics_rows import Selection
from ...queries.statistics_series import series
from ...queries.statistics_shapes import heat_map, histogram
from ...queries.statistics_sums import METRICS, RUNTIMES, WAITS
from ...queries.statistics_tasks import TaskFigures, busiest, exceptions, most_failing, slowest
from ...queries.statistics_totals import totals
from ..operations import Asked, Operation, Parameter
from ..shapes import NumberField, Shape, TimeField
from ..views import MonitoringView
from . import ranges

GROUPS = ("task", "queue", "worker", "outcome")
SELECTION = (
    Parameter("task", "Only of this name; empty: of tasks whose name is not known."),
    Parameter("queue", "Only of this queue."),
    Parameter("worker", "Only of this worker; not together with a task or a queue."),
)
RESOLUTION = Parameter(
    "resolution",
    f"Seconds of a bucket; by default the finest with at most {MOST_POINTS} buckets, which is also the limit; grouped "
    f"by task, queue or worker the longest that still makes {LEAST_POINTS}.",
    "integer",
)
_RANGE = ranges.parameters()
_TOP = Parameter("top", "How many names.", "integer", default=10, least=1, most=100)


class LineShape(Shape):
    """One value for each bucket. `label` null: all tasks, or with `is_rest` those that have no line of their own."""

    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # the name of an attribute
    is_rest = serializers.BooleanField()
    values = serializers.ListField(child=NumberField(allow_null=True))


class SeriesShape(Shape):
    """A metric over time."""

    metric = serializers.CharField()
    lines = LineShape(many=True)


class TotalShape(Shape):
    """A metric's value in the range and in the one of the same length before it."""

    now = NumberField(allow_null=True)
    before = NumberField(allow_null=True)
    change = NumberField(allow_null=True, help_text="0.5: half as much again.")


class StatisticsShape(Shape):
    """Counts are of tasks that ended, rates shares from 0 to 1, durations seconds."""

    start = TimeField()
    end = TimeField()
    resolution = serializers.IntegerField(help_text="Seconds of a bucket.")
    starts = serializers.ListField(child=TimeField(), help_text="Of the buckets.")
    totals = serializers.DictField(child=TotalShape(), help_text="By metric.")
    series = SeriesShape(many=True)


class FiguresShape(Shape):
    """One task name."""

    name = serializers.CharField()
    figures = serializers.DictField(child=NumberField(allow_null=True), help_text="By metric.")
    exception = serializers.CharField(help_text="With `order=failing`: what it failed with most often.")
    exceptions = serializers.IntegerField()


class TaskStatisticsShape(Shape):
    start = TimeField()
    end = TimeField()
    results = FiguresShape(many=True)


class ExceptionShape(Shape):
    name = serializers.CharField()
    exception_type = serializers.CharField()
    count = serializers.IntegerField()


class ExceptionsShape(Shape):
    start = TimeField()
    end = TimeField()
    results = ExceptionShape(many=True)


class BarShape(Shape):
    """How many tasks took from `low` to `high` seconds."""

    low = NumberField()
    high = NumberField()
    count = serializers.IntegerField()


class DurationsShape(Shape):
    start = TimeField()
    end = TimeField()
    bars = BarShape(many=True)


class HourShape(Shape):
    """One hour of the week in the server's time zone."""

    weekday = serializers.IntegerField(help_text="0: Monday.")
    hour = serializers.IntegerField()
    hours = NumberField(help_text="How many such hours the range has.")
    value = NumberField(allow_null=True)


class HoursShape(Shape):
    start = TimeField()
    end = TimeField()
    metric = serializers.CharField()
    results = HourShape(many=True)


class StatisticsView(MonitoringView):
    """What all views of statistics share."""

    permission = "monitoring.view_statistic"
    tag = "statistics"

    def period(self, asked: Asked, *, coarse: bool = False) -> Range:
        since, until = ranges.read_range(asked)
        step = asked.get("resolution")
        if step is None:
            return Range.between(since, until, coarse=coarse)
        if step not in CHART_STEPS:
            raise ValidationError({"resolution": [f"One of {', '.join(map(str, CHART_STEPS))}."]})
        found = Range.between(since, until, step=step)
        if found.length.total_seconds() > MOST_POINTS * step:
            raise ValidationError({"resolution": [f"It makes more than {MOST_POINTS} buckets."]})
        return found

    def selection(self, asked: Asked) -> Selection:
        names = {"name": asked["task"], "queue": asked["queue"], "worker": asked["worker"]}
        try:
            # PostgreSQL refuses to look for NUL.
            return Selection(**{k: v.replace("\0", "") for k, v in names.items() if v is not None})
        except ValueError as error:
            raise ValidationError({"worker": [str(error)]}) from error


class SeriesView(StatisticsView):
    """GET: totals of a range, and metrics over time."""

    operations = {
        "GET": Operation(
            "Totals and series",
            StatisticsShape,
            "All figures of one answer are of the same tasks. Users of limited visibility see nothing of workers.",
            errors=(400,),
            parameters=(
                *_RANGE,
                RESOLUTION,
                Parameter("metric", "Series to answer.", choices=tuple(METRICS), several=True),
                Parameter("group", "A line for each of the most frequent.", choices=GROUPS),
                Parameter(
                    "top", "Lines of a group, beside the rest.", "integer", default=8, least=1, most=50
                ),
                *SELECTION,
            ),
            example={
                "start": "2026-11-29T13:00:00.000000Z",
                "end": "2026-11-29T13:02:00.000000Z",
                "resolution": 60,
                "starts": ["2026-11-29T13:00:00.000000Z", "2026-11-29T13:01:00.000000Z"],
                "totals": {"failed": {"now": 2.0, "before": 4.0, "change": -0.5}},
                "series": [
                    {"metric": "failed", "lines": [{"label": None, "is_rest": False, "values": [2.0, 0.0]}]}
                ],
            },
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        many_lines = asked["group"] not in (None, "outcome")
        period, selection = self.period(asked, coarse=many_lines), self.selection(asked)
        if asked["group"] == "worker" and (selection.name, selection.queue) != (None, None):
            raise ValidationError(
                {"group": ["Statistics of workers are not combined with a task or a queue."]}
            )
        found = [
            series(self.visibility, period, metric, selection, asked["group"], asked["top"])
            for metric in dict.fromkeys(asked["metric"])
        ]
        told = {
            "start": period.start,
            "end": period.end,
            "resolution": period.step,
            "starts": period.edges[:-1],
            "totals": totals(self.visibility, period, selection),
            "series": found,
        }
        return Response(StatisticsShape(told).data)


class TaskStatisticsView(StatisticsView):
    """GET: the task names that stand out."""

    orders = {"busiest": busiest, "slowest": slowest, "failing": most_failing}
    operations = {
        "GET": Operation(
            "Tasks that run most, take longest, or fail most",
            TaskStatisticsShape,
            errors=(400,),
            parameters=(
                *_RANGE,
                Parameter("order", choices=tuple(orders), default="busiest"),
                _TOP,
                *SELECTION,
            ),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        period = self.period(asked)
        found = self.orders[asked["order"]](self.visibility, period, self.selection(asked), asked["top"])
        results = [_figures(figures) for figures in found]
        return Response(
            TaskStatisticsShape({"start": period.start, "end": period.end, "results": results}).data
        )


class ExceptionStatisticsView(StatisticsView):
    """GET: what tasks failed with."""

    operations = {
        "GET": Operation(
            "Failures by task and exception type",
            ExceptionsShape,
            errors=(400,),
            parameters=(*_RANGE, *SELECTION),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        period = self.period(asked)
        rows = exceptions(self.visibility, period, self.selection(asked))
        results = [{"name": name, "exception_type": kind, "count": count} for name, kind, count in rows]
        return Response(ExceptionsShape({"start": period.start, "end": period.end, "results": results}).data)


class DurationsView(StatisticsView):
    """GET: how durations are spread."""

    operations = {
        "GET": Operation(
            "How run times or waits are spread",
            DurationsShape,
            errors=(400,),
            parameters=(
                *_RANGE,
                Parameter("of", choices=(RUNTIMES, WAITS), default=RUNTIMES),
                *SELECTION,
            ),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        period = self.period(asked)
        found = histogram(self.visibility, period, asked["of"], self.selection(asked))
        bars = [{"low": low, "high": high, "count": count} for low, high, count in found]
        return Response(DurationsShape({"start": period.start, "end": period.end, "bars": bars}).data)


class HoursView(StatisticsView):
    """GET: when tasks run."""

    operations = {
        "GET": Operation(
            "A metric by weekday and hour",
            HoursShape,
            errors=(400,),
            parameters=(
                *ranges.parameters("7d"),
                Parameter("metric", choices=tuple(METRICS), default="finished"),
                *SELECTION,
            ),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        period, metric = self.period(asked), asked["metric"]
        cells = heat_map(self.visibility, period, self.selection(asked), metric)
        results = [
            {"weekday": day, "hour": hour, "hours": cell.hours, "value": METRICS[metric].value(cell.sums)}
            for (day, hour), cell in cells.items()
        ]
        told = {"start": period.start, "end": period.end, "metric": metric, "results": results}
        return Response(HoursShape(told).data)


def _figures(figures: TaskFigures) -> dict[str, Any]:
    return {
        "name": figures.name,
        "figures": {name: metric.value(figures.sums) for name, metric in METRICS.items()},
        "exception": figures.exception,
        "exceptions": figures.exceptions,
    }
