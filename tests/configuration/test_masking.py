"""Of an app's settings nothing is shown that may be a secret; what cannot be is shown."""

from __future__ import annotations

import json
import logging

import celery
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.configuration.masking import (
    is_hidden,
    is_masked,
    masked_address,
    masked_setting,
    masked_settings,
)
from monitoring.configuration.reading import SettingsUnreadable, app_settings
from monitoring.ingest.redaction import MARK, Redactor

SECRET = "Xq7zw-K9-vF3p"
REDACTOR = Redactor()

#: Every place in which a project has a secret that Celery's own masking, by names, leaves alone.
PLANTED = {
    "broker_url": f"amqp://shop:{SECRET}@mq.internal:5672/prod?token={SECRET}",
    "broker_read_url": [f"redis://:{SECRET}@a:6379/0", f"redis://{SECRET}@b:6379/0"],
    "result_backend": f"db+postgresql://shop:{SECRET}@db/results?options={SECRET}",
    "broker_transport_options": {
        "visibility_timeout": 7_200,
        "master_name": "main",
        "sentinel_kwargs": {"password": SECRET, "username": SECRET},
        "predefined_queues": {"q": {"url": f"https://sqs/{SECRET}", "access_key_id": SECRET, "x": [SECRET]}},
        "client_kwargs": SECRET,
    },
    "result_backend_transport_options": {"retry_policy": {"timeout": 5.0}, "anything": SECRET},
    "broker_use_ssl": {"keyfile": f"/etc/{SECRET}", "ssl_cert_reqs": "required"},
    "cassandra_auth_kwargs": {"username": "u", "word": SECRET},
    "database_engine_options": {"connect_args": {"passfile": SECRET}, "echo": True},
    "security_key_password": SECRET,
    "task_annotations": {"*": {"api_token": SECRET, "rate_limit": "10/s"}},
    "task_routes": {"shop.*": {"queue": "shop", "headers": {"Authorization": f"Bearer {SECRET}"}}},
    "beat_schedule": {
        "nightly": {"task": "shop.export", "schedule": 60.0, "args": [SECRET], "kwargs": {"a": SECRET}}
    },
    "shop_greeting": SECRET,
    "shop_options": {"deep": [{"er": SECRET}]},
    "CELERY_SHOP_WORD": SECRET,
    "DATABASES": {"default": {"PASSWORD": SECRET}},
    "SECRET_KEY": SECRET,
}


def test_planted_secrets_are_nowhere_in_what_is_kept():
    assert SECRET not in json.dumps(masked_settings(PLANTED, REDACTOR))


def test_planted_secrets_are_nowhere_in_what_is_read_of_an_app(caplog):
    app = celery.Celery("secretive", set_as_current=False)
    app.conf.update(PLANTED)
    with caplog.at_level(logging.DEBUG):
        found = app_settings(app, REDACTOR)
    assert SECRET not in json.dumps(found)
    assert SECRET not in caplog.text
    assert found["shop_greeting"] == MARK
    assert "DATABASES" not in found


def test_what_is_known_to_be_harmless_is_shown():
    kept = masked_settings(PLANTED, REDACTOR)
    assert kept["broker_url"] == f"amqp://shop:{MARK}@mq.internal:5672/prod?token={MARK}"
    assert kept["broker_transport_options"]["visibility_timeout"] == 7_200
    assert kept["broker_transport_options"]["master_name"] == "main"
    assert kept["task_annotations"]["*"]["rate_limit"] == "10/s"
    assert kept["beat_schedule"]["nightly"]["task"] == "shop.export"
    assert kept["database_engine_options"]["echo"] is True
    assert masked_setting("task_time_limit", 3_600, REDACTOR) == 3_600
    assert masked_setting("shop_is_open", True, REDACTOR) is True


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://guest:guest@127.0.0.1:5672//", f"amqp://guest:{MARK}@127.0.0.1:5672//"),
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),
        ("redis://a-token@cache/0", f"redis://{MARK}@cache/0"),
        ("sqs://AKIAIOSFODNN7EXAMPLE:x%2Fy@", f"sqs://{MARK}@"),
        ("sentinel://:p@a:1;sentinel://:p@b:2", f"sentinel://:{MARK}@a:1;sentinel://:{MARK}@b:2"),
        ("redis://h/0?ssl_cert_reqs=none&password=p", f"redis://h/0?ssl_cert_reqs=none&password={MARK}"),
        ("django-db", "django-db"),
        ("azureblockblob://DefaultEndpointsProtocol=https;AccountKey=p;", f"azureblockblob://{MARK}"),
        ("not a url at all: p", MARK),
        ("", ""),
    ],
)
def test_an_address_is_put_together_from_harmless_parts(url, shown):
    assert masked_address(url, REDACTOR) == shown


_passwords = st.text(min_size=6, max_size=30).map(lambda text: f"s3cr{text}Zz")


@given(password=_passwords, scheme=st.sampled_from(["amqp", "redis", "sqs", "db+mysql", "x"]))
def test_no_password_survives_in_any_address(password, scheme):
    shown = masked_address(f"{scheme}://user:{password}@host:1/path", REDACTOR)
    assert password not in shown


@given(st.dictionaries(st.text(max_size=9) | st.sampled_from(sorted(PLANTED)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
), max_size=4))  # fmt: skip
def test_masking_twice_is_masking_once_whatever_it_is(conf):
    once = masked_settings(conf, REDACTOR)
    assert repr(masked_settings(once, REDACTOR)) == repr(once)


def test_whether_all_or_some_of_a_value_is_hidden_can_be_told():
    assert is_hidden(MARK)
    assert is_hidden("********")
    assert not is_hidden("")
    assert not is_hidden(f"amqp://{MARK}@host")
    assert is_masked({"a": [f"amqp://{MARK}@host"]})
    assert not is_masked({"a": [1, "b"]})


def test_an_app_whose_configuration_cannot_be_loaded_says_so_without_its_words():
    app = celery.Celery("broken", set_as_current=False)
    app.config_from_object(f"no_such_module_{SECRET.replace('-', '_')}")
    with pytest.raises(SettingsUnreadable) as caught:
        app_settings(app, REDACTOR)
    assert str(caught.value) in ("ModuleNotFoundError", "ImportError")


def test_a_value_that_cannot_be_read_is_hidden_and_its_error_is_not_quoted(caplog):
    class Secretive:
        def __repr__(self):
            raise ValueError(SECRET)

    app = celery.Celery("odd", set_as_current=False)
    app.conf.update(task_routes=Secretive(), broker_url=f"{SECRET}://x")
    found = app_settings(app, REDACTOR)
    assert SECRET not in json.dumps(found)
    assert SECRET not in caplog.text
