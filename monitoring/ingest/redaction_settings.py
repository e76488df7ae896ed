"""The redactor that a project's settings ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..conf import monitoring_settings
from .redaction import DEFAULT_KEYS, DEFAULT_PATTERNS, Redactor

logger = logging.getLogger(__name__)


def _say(error: Exception) -> None:
    logger.error("A field could not be redacted and is left out: %r", error)


def configured_redactor(on_error: Callable[[Exception], None] | None = _say) -> Redactor:
    """The built-in rules and those that the project adds. `on_error` as in :class:`Redactor`."""
    return Redactor(
        (*DEFAULT_KEYS, *monitoring_settings.REDACT_KEYS),
        (*DEFAULT_PATTERNS, *monitoring_settings.REDACT_PATTERNS),
        on_error=on_error,
    )
