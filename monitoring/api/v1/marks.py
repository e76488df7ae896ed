"""Deploy marks: what was deployed when, drawn on charts."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...control.marks import mark
from ...models import DeployMark
from ...queries.marks import marks
from ..operations import Operation
from ..shapes import ModelShape, Shape
from ..views import MonitoringView
from . import ranges


class MarkedShape(ModelShape):
    """Something was deployed."""

    class Meta:
        model = DeployMark
        fields = ["id", "at", "label"]
        extra_kwargs = {"at": {"required": True}}


class MarksShape(Shape):
    results = MarkedShape(many=True, help_text="Oldest first; the newest forty of the range.")


class MarkBody(Shape):
    """What was deployed, such as a version; now, unless told otherwise."""

    label = serializers.CharField(max_length=100)  # type: ignore[assignment]  # the name of an attribute
    at = serializers.DateTimeField(required=False)


class MarksView(MonitoringView):
    """GET: the marks of a range. POST: a new one."""

    permission = "monitoring.view_statistic"
    permissions = {"POST": "monitoring.add_deploymark"}
    tag = "statistics"
    operations = {
        "GET": Operation("Deploy marks", MarksShape, errors=(400,), parameters=ranges.parameters()),
        "POST": Operation(
            "Mark a deploy",
            MarkedShape,
            status=201,
            errors=(400, 413, 415),
            body=MarkBody,
            body_example={"label": "v2.14.0"},
        ),
    }

    def get(self, request: Request) -> Response:
        since, until = ranges.read_range(self.asked)
        return Response(MarksShape({"results": marks(since, until)}).data)

    def post(self, request: Request) -> Response:
        body = MarkBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            found = mark(**body.validated_data)
        except ValueError as mistake:
            raise ValidationError({"label": [str(mistake)]}) from mistake
        return Response(MarkedShape(found).data, status=201)
