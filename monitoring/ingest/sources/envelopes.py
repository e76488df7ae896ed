"""Messages on Redis and Valkey, which kombu wraps in JSON: anybody can put anything there."""

from __future__ import annotations

from typing import Any, cast

import kombu
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from monitoring.ingest.decoding import unreadable


def message_in(content: bytes, channel: Any) -> kombu.Message:
    """The message that is in `content`; where none is, one with `content` as its body, which says why.

    `channel` is one of kombu's. Never raises.
    """
    try:
        message: kombu.Message = type(channel).Message(loads(content), channel=channel)
        if not (isinstance(message.body, str | bytes) and isinstance(message.delivery_info, dict)):
            raise TypeError
        return message
    except Exception as fault:
        body, reason = cast("Any", content), unreadable(f"{type(fault).__name__} in its envelope")
        return kombu.Message(body, content_type=reason, channel=channel)


def hear_anything(channel: Any) -> None:
    """Let no message that `channel`, one of kombu's for Redis, subscribes to be left out, nor end its connection.

    kombu drops what is no JSON, and raises for JSON that is no message, by which a subscriber misses what is published
    until it is back. So it is given a stand-in, and what was heard when it makes a message of that.
    """
    subscription = channel.subclient
    parse = subscription.parse_response
    heard = b""

    def parse_response(*arguments: Any, **options: Any) -> Any:
        nonlocal heard
        answer = parse(*arguments, **options)
        if not answer or bytes_to_str(answer[0]) not in ("message", "pmessage"):
            return answer
        *beginning, heard = answer
        return [*beginning, b"0"]

    subscription.parse_response = parse_response
    channel.Message = lambda _stand_in, channel: message_in(heard, channel)
