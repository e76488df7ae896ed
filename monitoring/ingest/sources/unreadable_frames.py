"""Deliveries that py-amqp cannot read, handed over as what they are.

A sender can give a message properties or a routing key that are no UTF-8, headers that are nested more deeply than
Python goes, or a time after all years, and RabbitMQ passes them on. py-amqp raises in the middle of such a delivery.
Nothing would have been acknowledged, so that the same one would come first again on each new connection, for ever.
"""

from __future__ import annotations

import struct
from typing import Any

from amqp import spec
from amqp.exceptions import UnexpectedFrame
from amqp.serialization import loads

from monitoring.ingest.decoding import unreadable

#: The type of the frame that has a message's properties, behind twelve bytes: its class, a weight, the body's size.
_HEADER, _BEFORE_PROPERTIES = 2, 12
#: The bit of the first of all properties, which is the content type.
_CONTENT_TYPE = 0x8000
#: The arguments of a delivery: consumer tag, delivery tag, redelivered, exchange, routing key; and where they begin.
_DELIVERY, _ARGUMENTS = "sLbss", 4


def hand_over_unreadable(connection: Any, channel: Any) -> None:
    """Let what comes over `channel`, one of py-amqp's, lose its properties rather than end `connection`.

    Its content type then says why. Everything else goes its usual way, and costs two calls of a function more.
    """
    on_frame, dispatch = connection.on_inbound_frame, channel.dispatch_method

    def frame_or_reason(frame: tuple[int, int, bytes]) -> Any:
        try:
            return on_frame(frame)
        except Exception as fault:
            kind, number, content = frame
            if kind != _HEADER:
                raise
            reason = unreadable(f"{type(fault).__name__} in its properties").encode()
            properties = struct.pack(">HB", _CONTENT_TYPE, len(reason)) + reason
            try:
                # py-amqp waits for this frame still; the body that it announces comes next.
                return on_frame((kind, number, content[:_BEFORE_PROPERTIES] + properties))
            except UnexpectedFrame:
                raise fault from None  # it has been read, and the fault is another's

    def dispatch_or_reason(method: tuple[int, int], arguments: bytes, message: Any) -> Any:
        try:
            return dispatch(method, arguments, message)
        except Exception:
            fault = _fault_in(arguments) if method == spec.Basic.Deliver else None
            if fault is None:
                raise
            message.properties = {"content_type": unreadable(f"{type(fault).__name__} in its routing key")}
            return dispatch(method, _without_texts(arguments), message)

    connection.on_inbound_frame = frame_or_reason
    channel.dispatch_method = dispatch_or_reason


def _fault_in(arguments: bytes) -> Exception | None:
    try:
        loads(_DELIVERY, arguments, _ARGUMENTS)
    except Exception as fault:
        return fault
    return None


def _without_texts(arguments: bytes) -> bytes:
    """The arguments of a delivery with no exchange and no routing key."""
    _, offset = loads(_DELIVERY[:3], arguments, _ARGUMENTS)
    return arguments[:offset] + b"\0\0"
