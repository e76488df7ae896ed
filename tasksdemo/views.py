"""The demo's HTTP API: start a task with curl, see what runs, ask how it ended.

Without login and without CSRF token, so that `curl -X POST` works: whoever reaches it can start the example tasks,
within their limits, and read results by task id. A project of your own has no use for it; leave `tasksdemo` out of
INSTALLED_APPS and of the URLs there.
"""

from collections.abc import Callable
from typing import Any

from rest_framework import status
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tasksdemo.active import active_tasks
from tasksdemo.errors import answer_error
from tasksdemo.outcome import outcome
from tasksdemo.starting import start
from tasksdemo.starts import CREATE_MESSAGE, Address


class DemoView(APIView):
    """Open to everybody, JSON only, and independent of the project's settings for its real API."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    renderer_classes = [JSONRenderer]
    # The OpenAPI document is that of the monitoring's API.
    schema = None

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return answer_error


class StartView(DemoView):
    """POST starts what `address` says: 202 {"task_id", "status"}, 400 with the reason, 503 without a broker.

    Parameters may come as JSON object, as a form, and in the query string; the body wins.
    """

    address: Address = CREATE_MESSAGE

    def post(self, request: Request) -> Response:
        takes = self.address.takes(data=_parameters(request))
        takes.is_valid(raise_exception=True)
        return Response(start(self.address, takes.validated_data), status=status.HTTP_202_ACCEPTED)


class TasksView(StartView):
    """GET: the tasks that run now. POST: store a message, in a task."""

    def get(self, request: Request) -> Response:
        return Response(active_tasks())


class TaskView(DemoView):
    """GET: state and result of one task; PENDING for an id that nobody knows."""

    def get(self, request: Request, task_id: str) -> Response:
        return Response(outcome(task_id))


def _parameters(request: Request) -> Any:
    """Query string and body in one; a body that is no object is left as it is, for the serializer to refuse."""
    body = request.data.dict() if hasattr(request.data, "dict") else request.data
    return {**request.query_params.dict(), **body} if isinstance(body, dict) else body
