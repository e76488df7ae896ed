from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """Loads models and system checks, nothing else: no thread, connection or signal in any process that loads it."""

    name = "monitoring"
    label = "monitoring"
    verbose_name = _("Celery monitoring")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks

        checks.register()
