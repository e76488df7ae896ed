"""Keeps what is watched in the database alias that ``MONITORING["DATABASE"]`` names."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from .conf import monitoring_settings

#: Models that belong to a person rather than to the watched system; they stay in the default database.
PERSONAL_MODELS: frozenset[str] = frozenset(
    {
        "apitoken",
        "auditentry",
        "bulkchunk",
        "bulkrun",
        "failuretriage",
        "idempotencykey",
        "savedview",
        "tasklistchoice",
    }
)


class MonitoringRouter:
    """A Django database router. Without ``MONITORING["DATABASE"]`` it has no opinion on anything.

    There is no foreign key between the watched tables and the others, so the two can live on different servers.
    """

    def _alias(self, app_label: str, model_name: str | None) -> str | None:
        if app_label != "monitoring" or monitoring_settings.DATABASE == "default":
            return None
        return "default" if model_name in PERSONAL_MODELS else monitoring_settings.DATABASE

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return self._alias(model._meta.app_label, model._meta.model_name)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return self._alias(model._meta.app_label, model._meta.model_name)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if monitoring_settings.DATABASE == "default":
            return None
        if app_label != "monitoring":
            return False if db == monitoring_settings.DATABASE else None
        # An operation without a model (RunPython) runs on both; each such operation looks for its tables itself.
        return model_name is None or db == self._alias(app_label, model_name)
