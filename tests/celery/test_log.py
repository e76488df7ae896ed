"""What a worker logs of tasks has no secrets, and no line fails for it."""

import io
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from celery import signals
from celery.exceptions import SoftTimeLimitExceeded
from celery.utils.log import ColorFormatter

from monitoring.celery import RedactedLog
from monitoring.celery import log as log_module
from monitoring.ingest.redaction import UNREADABLE
from project.celery import app


@pytest.fixture
def log() -> Any:
    """A logger as Celery sets it up, its child, and what they have written."""
    written = io.StringIO()
    logger = logging.Logger("celery.task")
    handler = logging.StreamHandler(written)
    handler.setFormatter(ColorFormatter("%(levelname)s %(message)s", use_color=True))
    logger.addHandler(handler)
    RedactedLog.filter_handlers(logger=logger, loglevel=20)
    RedactedLog.filter_handlers(logger=logger)  # a second time changes nothing
    assert len(handler.filters) == 1
    child = logging.Logger("celery.task.shop")
    child.parent = logger
    return SimpleNamespace(logger=logger, child=child, handler=handler, text=written.getvalue)


def refuse(password: str) -> None:
    raise ValueError(f"login refused for password={password!r}")


def test_results_exceptions_and_tracebacks_are_logged_without_secrets(log):
    log.child.info(
        "Task %(name)s succeeded: %(value)s", {"name": "shop.pay", "value": "{'api_key': 'hunter2'}"}
    )
    secret = "hunter2"
    try:
        refuse(secret)
    except ValueError as error:
        log.logger.exception("Task raised: %r", error, stack_info=True)
    log.logger.info("all is well")

    assert "Task shop.pay succeeded: {'api_key': '[redacted]'}" in log.text()
    assert "in refuse" in log.text()
    assert "ValueError: login refused" in log.text()
    assert "INFO all is well\n" in log.text()
    assert "hunter2" not in log.text()


def test_what_formatters_may_write_besides_has_no_secrets(log):
    kept = []
    log.handler.emit = kept.append
    data = {"kwargs": "{'password': 'hunter2'}", "traceback": "token=hunter2", "id": "t"}
    log.logger.info("x", extra={"data": data, "token": "hunter2", "number": 5})

    assert vars(kept[0])["data"]["id"] == "t"
    assert (kept[0].number, kept[0].exc_info) == (5, None)
    assert "hunter2" not in repr(vars(kept[0]))


def test_own_rules_of_the_project_count(log, settings):
    settings.MONITORING = {**settings.MONITORING, "REDACT_KEYS": ["voucher"]}
    log.logger.info("voucher=hunter2")
    assert "voucher=[redacted]" in log.text()


@pytest.mark.parametrize("fault", ["arguments", "scanner", "rules"])
def test_no_line_fails_and_what_cannot_be_redacted_is_replaced(log, fault, monkeypatch, capsys):
    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("hunter2")

    if fault == "scanner":
        monkeypatch.setattr("monitoring.ingest.redaction.find_secrets", fail)
    elif fault == "rules":
        monkeypatch.setattr(log_module, "configured_redactor", fail)
    log.logger.info(
        "password=%d" if fault == "arguments" else "password=%s", "hunter2", extra={"token": "hunter2"}
    )

    assert UNREADABLE in log.text()
    assert "hunter2" not in log.text() + capsys.readouterr().err


def test_without_django_settings_the_built_in_rules_count(log, monkeypatch):
    def fail(**_options: object) -> None:
        raise log_module.ImproperlyConfigured

    monkeypatch.setattr(log_module, "configured_redactor", fail)
    log.logger.info("all is well, password=hunter2")
    assert "all is well, password=[redacted]" in log.text()


def test_a_soft_time_limit_reaches_its_task(log, monkeypatch):
    def limit(*_args: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(RedactedLog, "_redact", limit)
    with pytest.raises(SoftTimeLimitExceeded):
        log.logger.info("x")


def test_workers_of_the_bundled_project_log_without_secrets(monkeypatch):
    assert app.main == "project"
    for signal in (signals.after_setup_logger, signals.after_setup_task_logger):
        logger = logging.Logger("any")
        logger.addHandler(logging.NullHandler())
        signal.send(sender=None, logger=logger)
        assert isinstance(logger.handlers[0].filters[0], RedactedLog)
