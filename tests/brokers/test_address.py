"""Where a broker is may be shown; how one gets in may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.brokers import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://shop:hunter2@mq.internal:5672/prod", "amqp://shop@mq.internal:5672/prod"),
        ("amqp://mq.internal//", "amqp://mq.internal//"),
        ("rediss://:hunter2@[::1]:6379/3?ssl_cert_reqs=none&password=hunter2", "rediss://[::1]:6379/3"),
        ("redis://:hun/ter2@cache:6379/0", "?"),
        ("amqp://shop:hun#ter2@mq:5672", "?"),
        ("amqp://shop:123?ter2@mq:5672", "amqp://?"),
    ],
)
def test_the_password_is_left_out(url: str, shown: str) -> None:
    assert without_password(url) == shown


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_no_password_is_ever_shown(password: str) -> None:
    secret = f"hunter2{password}hunter3"
    shown = without_password(f"amqp://shop:{secret}@mq.internal:5672/prod")
    assert "hunter2" not in shown
    assert "hunter3" not in shown
