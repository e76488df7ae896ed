"""The settings that Celery really runs with."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ...queries.configuration import configuration
from ..operations import Operation
from ..shapes import Shape, TimeField, as_mapping
from ..views import MonitoringView


class SettingValueShape(Shape):
    """A value, redacted, and who has it."""

    value = serializers.JSONField()
    hostnames = serializers.ListField(child=serializers.CharField())
    of_app = serializers.BooleanField(help_text="The watched app as this web server has it.")
    is_default = serializers.BooleanField()
    is_masked = serializers.BooleanField(help_text="Not all of it is shown.")


class SettingShape(Shape):
    """One setting, everywhere."""

    name = serializers.CharField()
    group = serializers.CharField()
    values = SettingValueShape(many=True)
    has_default = serializers.BooleanField()
    default = serializers.JSONField()
    is_changed = serializers.BooleanField()
    differs = serializers.BooleanField()
    is_masked = serializers.BooleanField()
    docs_url = serializers.CharField()
    advice = serializers.ListField(child=serializers.CharField())


class AdviceShape(Shape):
    """What is known to hurt."""

    rule = serializers.CharField()
    weight = serializers.CharField()
    setting = serializers.CharField()
    fact = serializers.CharField()
    reason = serializers.CharField()
    evidence = serializers.CharField()
    remedy = serializers.CharField()
    url = serializers.CharField()
    hostnames = serializers.ListField(child=serializers.CharField())
    of_app = serializers.BooleanField()


class AskedWorkerShape(Shape):
    hostname = serializers.CharField()
    online = serializers.BooleanField()
    answered_at = TimeField(allow_null=True)
    problem = serializers.CharField()


class ConfigurationShape(Shape):
    checked_at = TimeField()
    celery_version = serializers.CharField()
    app_problem = serializers.CharField(help_text="Why the app's own settings are missing, else empty.")
    settings = SettingShape(many=True)
    advice = AdviceShape(many=True)
    workers = AskedWorkerShape(many=True)


class ConfigurationView(MonitoringView):
    """GET: all settings."""

    permission = "monitoring.view_worker"
    needs_full_visibility = True
    tag = "configuration"
    operations = {"GET": Operation("Settings of Celery", ConfigurationShape, "Secrets are masked.")}

    def get(self, request: Request) -> Response:
        return Response(ConfigurationShape(as_mapping(configuration(self.visibility))).data)
