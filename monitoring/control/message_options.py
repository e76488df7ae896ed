"""Which serializers, compressions and headers a message may be given by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import celery
from celery.app.task import Context
from django.utils.translation import gettext as _
from kombu import serialization
from kombu.compression import get_encoder

from .parameters import is_text

#: Characters of all headers together, as JSON. AMQP has them in one frame, of which brokers take 128 KB.
MAX_HEADERS = 16_384
#: Bytes of a header's name, and the whole numbers of its value: what AMQP has room for.
MAX_NAME, LEAST, MOST = 255, -(2**63), 2**63 - 1
#: RabbitMQ sends the message to these queues too; kombu says here how to unpack it.
_OF_BROKERS = frozenset({"cc", "bcc", "compression"})


def serializers(app: celery.Celery) -> list[str]:
    """Names of those that the app's workers read (``accept_content``) and this process can write."""
    registry: Any = serialization.registry  # type: ignore[attr-defined]  # the stubs have not got it
    kinds: Mapping[str, str] = registry.name_to_type
    accepted = {kinds.get(name, name) for name in app.conf.accept_content}
    return sorted(name for name, kind in kinds.items() if kind in accepted)


def is_compression(name: str) -> bool:
    """Whether kombu has one of this name here."""
    try:
        get_encoder(name)
    except KeyError:
        return False
    return True


def wrong_headers(app: celery.Celery, headers: Mapping[str, Any]) -> str:
    """Why a message cannot have these headers; or nothing.

    Celery lets headers replace its own (``AMQP.send_task_message``): one named `id` or `task` would start another task
    than was asked for, and is judged, audited and watched. A worker makes attributes of `task.request` of all of them.
    """
    own = {*app.amqp.as_task_v2("", "").headers, *dir(Context), *_OF_BROKERS}
    for name in headers:
        if name.lower() in own:
            return _("%(name)s is a header of Celery or the broker") % {"name": name}
        if not name or len(name.encode(errors="replace")) > MAX_NAME:
            return _("The name of a header has 1 to %(most)s bytes") % {"most": MAX_NAME}
    try:
        text = json.dumps(headers, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return _("JSON has no such number")
    if not is_text(text):
        return _("This is no text")
    if len(text) > MAX_HEADERS:
        return _("Headers have at most %(most)s characters together") % {"most": MAX_HEADERS}
    return "" if _fits(headers) else _("AMQP has no room for a whole number as great as this")


def _fits(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(len(name.encode()) <= MAX_NAME and _fits(each) for name, each in value.items())
    if isinstance(value, list):
        return all(map(_fits, value))
    return not isinstance(value, int) or LEAST <= value <= MOST
