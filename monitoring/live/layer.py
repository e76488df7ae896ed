"""The channel layer, where there is one that reaches other processes."""

from __future__ import annotations

from typing import Any

#: The group that every broadcaster listens to, and the message that is sent to it: there is something in the feed.
GROUP = "monitoring.feed"
NUDGE = {"type": "monitoring.feed"}


def crossing_layer() -> Any:
    """The default channel layer; None where there is none, or one that stays within its process.

    Never raises: a layer that is set up wrongly is Channels' business, and pages then read the feed each second.
    """
    try:
        from channels.layers import InMemoryChannelLayer, get_channel_layer

        layer = get_channel_layer()
    except Exception:
        return None
    return None if isinstance(layer, InMemoryChannelLayer) else layer
