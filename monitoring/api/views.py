"""What every view of the API shares, so that a host project's REST framework settings change none of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any, ClassVar

import msgspec
from django.db import transaction
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser as RestJSONParser
from rest_framework.renderers import JSONRenderer as RestJSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..arguments import MAX_DEPTH, is_too_deep
from ..conf import monitoring_settings
from ..control.actor import Actor
from ..control.perform import missing_permission
from ..models import ApiToken
from ..queries.visibility import Visibility
from .authentication import AUTHENTICATION
from .operations import Asked, Operation, read_query
from .problems import answer_error
from .throttling import UserThrottle

_TOO_DEEP = f"This is nested more than {MAX_DEPTH} levels deep"


def _schema() -> Any:
    """What describes a view in the OpenAPI document, where drf-spectacular is there to make one."""
    if find_spec("drf_spectacular") is None:
        return None
    from .openapi import MonitoringSchema

    return MonitoringSchema()


class JSONRenderer(RestJSONRenderer):
    """What JSON has no number for is null: some settings of Celery are infinite. Half characters are "?"."""

    compact, ensure_ascii, strict = True, False, True

    def render(self, data: Any, *context: Any, **options: Any) -> Any:
        try:
            return super().render(data, *context, **options)
        except ValueError:
            return super().render(_writable(data), *context, **options)


class JSONParser(RestJSONParser):
    """Within Django's DATA_UPLOAD_MAX_MEMORY_SIZE, and without half characters, which no database takes."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = parser_context["request"]._request.body
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise ParseError(f"This is no JSON: {error}") from error
        except RecursionError as error:
            raise ParseError(_TOO_DEEP) from error
        # A body has the arguments of a task one level down.
        if is_too_deep(value, MAX_DEPTH + 1):
            raise ParseError(_TOO_DEEP)
        return value


def _writable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_writable(name): _writable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value


class FirstRenderer(DefaultContentNegotiation):
    """Answers in the view's first format whatever the client accepts, as a browser's plain visit or curl expects."""

    def select_renderer(  # type: ignore[override]  # the stubs want a list
        self, request: Request, renderers: Sequence[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class MonitoringView(APIView):
    """Needs `permission`, by session, HTTP basic or a token that has it: 401 for nobody, 403 without it.

    A view asks ``queries/`` with :attr:`visibility`, acts through ``control/perform.py`` with :attr:`actor`, and shows
    payload only where :attr:`with_payload`. It never asks `request.user` for a permission: a token may be narrower.
    """

    #: ``"app_label.codename"``; None: signed in is enough, because a verb checks its own and audits a refusal.
    permission: ClassVar[str | None] = None
    #: Permissions by method, where one needs another than `permission`.
    permissions: ClassVar[dict[str, str | None]] = {}
    #: Open to nobody whose visibility is limited: what it tells is of everybody's tasks.
    needs_full_visibility: ClassVar[bool] = False
    #: By method; a view without any is no part of the OpenAPI document.
    operations: ClassVar[dict[str, Operation]] = {}
    tag: ClassVar[str] = ""

    authentication_classes = AUTHENTICATION
    permission_classes: list[Any] = []
    throttle_classes: list[Any] = [UserThrottle]
    parser_classes: list[Any] = [JSONParser]
    renderer_classes: list[Any] = [JSONRenderer]
    content_negotiation_class = FirstRenderer
    metadata_class = None
    versioning_class = None
    schema: Any = _schema()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Outside ATOMIC_REQUESTS: a refused attempt stays in the audit log, and no lock waits for workers."""
        view: Any = super().as_view(**initkwargs)
        for alias in {"default", monitoring_settings.DATABASE}:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    @cached_property
    def actor(self) -> Actor:
        """Who asks. A token narrows its user to its scopes, and stands beside their name in the audit log."""
        token = self.request.auth
        address = str(self.request.META.get("REMOTE_ADDR") or "")
        if not isinstance(token, ApiToken):
            return Actor(self.request.user, "api", address)
        name = f"{token.user.get_username()} (token {token.name})"
        return Actor(token.user, "api", address, frozenset(token.scopes), name)

    @cached_property
    def visibility(self) -> Visibility:
        return self.actor.visibility

    @property
    def with_payload(self) -> bool:
        return self.actor.with_payload

    def check_permissions(self, request: Request) -> None:
        if request.user is None or not request.user.is_authenticated:
            raise NotAuthenticated
        if request.method == "OPTIONS":
            return
        permission = self.permission_for(request.method or "")
        if permission is not None and not self.actor.may(permission):
            raise PermissionDenied(missing_permission(permission))
        if self.needs_full_visibility and not self.visibility.is_everything:
            raise PermissionDenied("This is for users who may see all tasks.")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """204, with the methods that there are in ``Allow``, to who has signed in."""
        return Response(status=204)

    @classmethod
    def permission_for(cls, method: str) -> str | None:
        return cls.permissions.get("GET" if method == "HEAD" else method, cls.permission)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses parameters that there are not, also where a view reads none: before anything is done."""
        super().initial(request, *args, **kwargs)
        if self._method in self.operations:
            _ = self.asked

    @property
    def _method(self) -> str:
        """That of the operation."""
        method = self.request.method or ""
        return "GET" if method == "HEAD" else method

    @cached_property
    def asked(self) -> Asked:
        """The query string as this method's operation describes it. Raises ValidationError."""
        return read_query(self.request, self.operations[self._method].parameters)

    def get_exception_handler(self) -> Callable[..., Response]:
        return answer_error
