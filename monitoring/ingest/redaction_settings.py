"""The redactor that a project's settings ask for."""

from __future__ import annotations

import logging

from ..conf import monitoring_settings
from .redaction import DEFAULT_KEYS, DEFAULT_PATTERNS, Redactor

logger = logging.getLogger(__name__)


def configured_redactor() -> Redactor:
    """The built-in rules and those that the project adds."""
    return Redactor(
        (*DEFAULT_KEYS, *monitoring_settings.REDACT_KEYS),
        (*DEFAULT_PATTERNS, *monitoring_settings.REDACT_PATTERNS),
        on_error=lambda error: logger.error("A field could not be redacted and is left out: %r", error),
    )
