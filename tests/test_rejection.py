"""A rejection is known by what Celery itself writes of it."""

from __future__ import annotations

import pytest
from celery.exceptions import Reject

from monitoring import rejection
from monitoring.formatting import exception_parts


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (Reject("not for this shop"), "not for this shop"),
        (Reject("no: not here", requeue=False), "no: not here"),
        (Reject(), ""),
        (Reject("later", requeue=True), "later"),
    ],
)
def test_the_reason_is_read_from_its_repr(raised: Reject, reason: str) -> None:
    assert rejection.reason_of(repr(raised)) == reason
    assert exception_parts(repr(raised)) == (type(raised).__name__, reason)
    assert type(raised).__name__ == rejection.TYPE


@pytest.mark.parametrize("text", ["", "rejected", "reject requeue", "ValueError('reject requeue=False: x')"])
def test_other_exceptions_are_none(text: str) -> None:
    assert rejection.reason_of(text) is None
