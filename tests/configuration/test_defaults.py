"""Values that mean the same are the same, and a value of which nothing is shown is like no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery.app import defaults

from monitoring.configuration.defaults import docs_url, is_default, same
from monitoring.configuration.groups import GROUPS, group_of


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("result_expires", 86_400, True),
        ("result_expires", "1 day, 0:00:00", True),
        ("result_expires", "6:00:00", False),
        ("result_expires", None, False),
        ("accept_content", ["json"], True),
        ("accept_content", "{'json'}", True),
        ("accept_content", ["json", "pickle"], False),
        ("task_acks_late", False, True),
        ("task_acks_late", 0, False),
        ("broker_read_url", "amqp://guest:[redacted]@localhost:5672//", True),
        ("broker_read_url", "amqp://guest:[redacted]@other//", False),
        ("result_backend_max_retries", "inf", True),
        ("redis_password", "[redacted]", False),
        ("shop_currency", None, False),
    ],
)
def test_a_default_is_known_however_it_is_written(name, value, expected):
    assert is_default(name, value) is expected


def test_order_does_not_matter_and_types_do():
    assert same(["a", "b"], ["b", "a"])
    assert same("<function f at 0x7f01>", "<function f at 0x9a02>")
    assert same("{'b', 'a'}", ["a", "b"])
    assert not same(True, 1)
    assert not same(None, "")


def test_every_setting_of_celery_has_a_group_and_a_link():
    for name in defaults.DEFAULTS:
        assert group_of(name) in GROUPS
        assert docs_url(name).startswith("https://docs.celeryq.dev/")
    assert docs_url("task_acks_late").endswith("configuration.html#std-setting-task_acks_late")
    assert docs_url("shop_currency") == ""
    assert timedelta(days=1) == defaults.DEFAULTS["result_expires"], "the only default that is no JSON"
