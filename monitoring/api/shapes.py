"""What answers and bodies consist of: the serializers that answers are made by are also what the OpenAPI document says.

Nothing of them depends on a host project's REST framework settings: times are ISO 8601 in UTC with microseconds.
"""

from __future__ import annotations

import math
from dataclasses import fields as dataclass_fields
from typing import Any

from django.db import models
from rest_framework import serializers

from ..export_formats import iso


class TimeField(serializers.DateTimeField):
    def to_representation(self, value: Any) -> Any:
        return None if value is None else iso(value)


class NumberField(serializers.FloatField):
    """JSON has no number for infinity."""

    def to_representation(self, value: Any) -> Any:
        return float(value) if math.isfinite(value) else None


class Shape(serializers.Serializer):
    """Of a dataclass, of a mapping, or of a body."""


class ModelShape(serializers.ModelSerializer):
    """Of a model, field by field, with its help texts."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: TimeField,
        models.FloatField: NumberField,
    }


class Chosen:
    """Of a mapping that may have some of the fields only: what is not in it is not answered, rather than as null."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        fields: dict[str, serializers.Field] = self.fields  # type: ignore[attr-defined]  # of the serializer
        return {
            name: None if instance[name] is None else field.to_representation(instance[name])
            for name, field in fields.items()
            if name in instance
        }


class ProblemShape(Shape):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for people.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name of a property
        required=False, help_text="By field or parameter: sentences, where single ones are wrong."
    )


def as_mapping(value: Any) -> dict[str, Any]:
    """A dataclass as a mapping, one level deep: what is in its fields stays as it is."""
    return {field.name: getattr(value, field.name) for field in dataclass_fields(value)}
