"""``Idempotency-Key``: a request that was sent twice, because its answer was lost, is done once.

Another request with the key of one that was answered gets the same answer; while that one is under way it gets a 409,
and with another body or address a 422. What was refused before anything was done leaves no key behind; where a fault
leaves nobody knowing how far it came, the key stays, and its request is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ..control.connecting import ControlUnavailable
from ..control.contract import NotAllowed
from ..control.parameters import InvalidParameters
from ..models import IdempotencyKey
from .operations import Parameter
from .problems import CONTENT_TYPE, problem
from .views import JSONRenderer

KEEP = timedelta(days=1)
HEADER = "Idempotency-Key"
MAX_KEY = 255
#: All that is raised before anything is done.
_REFUSALS = (APIException, PermissionDenied, NotAllowed, InvalidParameters, ControlUnavailable)
PARAMETER = Parameter(
    HEADER, "Any text of your own: the same request with the same key is done once within a day.", where="header"
)  # fmt: skip


def once(request: Request, do: Callable[[], Response]) -> Response:
    """What `do` answers, or what it answered before to this user's key."""
    key = request.headers.get(HEADER, "")
    if not key:
        return do()
    if len(key) > MAX_KEY or not key.isprintable():
        raise ValidationError(
            {HEADER: [_("A key has at most %(count)s printable characters") % {"count": MAX_KEY}]}
        )
    user: Any = request.user
    mine, digest = IdempotencyKey.objects.filter(user=user, key=key), _digest(request)
    IdempotencyKey.objects.filter(at__lt=timezone.now() - KEEP).delete()
    try:
        with transaction.atomic(using=IdempotencyKey.objects.db):
            IdempotencyKey.objects.create(user=user, key=key, digest=digest, at=timezone.now())
    except IntegrityError:
        return _again(mine.first(), digest)
    try:
        response = do()
    except _REFUSALS:
        # Nothing was done: whoever asks again may be luckier. What was begun and broke is an answer, not an error.
        mine.delete()
        raise
    # As a text: PostgreSQL takes no value with a NUL in it, and would put its keys in another order.
    mine.update(status=response.status_code, content=JSONRenderer().render(response.data).decode())
    return response


def _again(before: IdempotencyKey | None, digest: str) -> Response:
    if before is None:
        return problem(409, _("This idempotency key is free again: send the request once more"))
    if before.digest != digest:
        return problem(422, _("This idempotency key was used for another request"))
    if before.status is None:
        return problem(
            409, _("The request with this idempotency key is under way, or nobody knows how it ended")
        )
    kind = CONTENT_TYPE if before.status >= 400 else None
    return Response(
        json.loads(str(before.content)),
        before.status,
        headers={"Idempotency-Replayed": "true"},
        content_type=kind,
    )


def _digest(request: Request) -> str:
    asked: Any = [request.method, request.path, request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
