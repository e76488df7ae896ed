"""The settings of an app in this process, as a worker of it would answer ``inspect conf``."""

from __future__ import annotations

import logging
from typing import Any

import celery
from celery.app.utils import filter_hidden_settings
from celery.utils.serialization import jsonify

from ..ingest.redaction import MARK, Redactor
from ..ingest.text import storable_json
from .masking import is_celerys, is_listed, masked_settings

logger = logging.getLogger(__name__)

#: Characters of one setting, as of a worker's.
_TEXT = 4_096


class SettingsUnreadable(Exception):
    """The app's configuration cannot be loaded here; its text names the kind of error only, which may hold secrets."""


def app_settings(app: celery.Celery, redactor: Redactor) -> dict[str, Any]:
    """Every setting of the app by name, redacted JSON. Raises SettingsUnreadable.

    A project's own settings are among them, without their texts.
    """
    try:
        names = [str(name) for name in app.conf if not str(name).startswith("_") and name not in dir(dict)]
        found = {name: _value(app, name) for name in names if is_listed(name)}
    except Exception as error:  # whatever a project's configuration does
        raise SettingsUnreadable(type(error).__name__) from None
    return masked_settings(found, redactor)


def _value(app: celery.Celery, name: str) -> Any:
    """As a worker writes it (celery/worker/control.py, ``conf``), so that the two can be compared."""
    try:
        value = app.conf[name]
        if value is not None and is_celerys(name):
            value = filter_hidden_settings({name: value})[name]
        return storable_json(jsonify(value, unknown_type_filter=repr), _TEXT)
    except Exception as error:
        # Not the error itself: it may quote the value.
        logger.warning("The setting %s cannot be shown: %s", name, type(error).__name__)
        return MARK
