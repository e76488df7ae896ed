"""How Celery writes ``celery.exceptions.Reject``, with which a task refuses its message. Pure.

From 5.7 on a worker reports such a task as failed, and the exception by its ``repr``, which is no class name with a
message as that of others is: ``reject requeue=False: not for this shop``. Celery 5.6 reports the rejection alone.
"""

from __future__ import annotations

import re

#: The name of the class.
TYPE = "Reject"
_REPR = re.compile(r"reject requeue=[^:]*:")


def reason_of(text: str) -> str | None:
    """Why the task refused its message, empty where it did not say; None where `text` is another exception."""
    match = _REPR.match(text)
    if match is None:
        return None
    reason = text[match.end() :].strip()
    return "" if reason == "None" else reason
