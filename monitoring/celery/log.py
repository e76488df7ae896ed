"""A worker's log without secrets: Celery writes each task's result, exception and traceback into it."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from monitoring.ingest.redaction import MARK, UNREADABLE, Redactor
from monitoring.ingest.redaction_settings import configured_redactor

from .guard import FOR_THE_TASK

#: What every record has; all else was given with ``extra`` and may be written by a formatter.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_formatter = logging.Formatter()


class RedactedLog(logging.Filter):
    """Takes secrets out of what a handler writes: message, exception, stack, and what was given with ``extra``.

    By the rules of ``MONITORING``, or the built-in ones where there are no Django settings. It lets every record pass
    and never makes a line fail: what cannot be searched for secrets is replaced. It belongs on handlers, since a
    logger's filters are not asked for what its children log.
    """

    @classmethod
    def filter_handlers(cls, logger: logging.Logger, **_more: Any) -> None:
        """Receiver of Celery's signals ``after_setup_logger`` and ``after_setup_task_logger``."""
        for handler in logger.handlers:
            if not any(isinstance(each, cls) for each in handler.filters):
                handler.addFilter(cls())

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            self._redact(record)
        except FOR_THE_TASK:
            raise
        except Exception:
            record.msg, record.args = UNREADABLE, None
            record.exc_info = record.exc_text = record.stack_info = None
            for name in _extra(record):
                setattr(record, name, UNREADABLE)
        return True

    @cached_property
    def _redactor(self) -> Redactor:
        try:
            # An error of the scanner must not be logged: that line would come here again.
            return configured_redactor(on_error=None)
        except ImproperlyConfigured:
            return Redactor()

    def _redact(self, record: logging.LogRecord) -> None:
        redactor = self._redactor
        record.msg, record.args = redactor.text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redactor.text(record.exc_text)
        # Formatters write the text where there is one, and some of them the exception itself where there is one.
        record.exc_info = None
        if record.stack_info:
            record.stack_info = redactor.text(record.stack_info)
        for name in _extra(record):
            value = getattr(record, name)
            if isinstance(value, str | dict | list | tuple):
                setattr(record, name, MARK if redactor.is_sensitive(name) else redactor.value(value))


def _extra(record: logging.LogRecord) -> list[str]:
    return [name for name in vars(record) if name not in _STANDARD]
