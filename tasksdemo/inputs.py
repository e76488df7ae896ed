"""What each address of the demo API takes, with its limits and defaults."""

import math
from typing import Any

from rest_framework import serializers

from tasksdemo.tasks import large, progressing, retrying, slow


class FiniteField(serializers.FloatField):
    """A number: NaN, which no comparison with a limit stops, is none. Whole ones stay whole, as they were typed."""

    def to_internal_value(self, data: Any) -> float:
        number: float = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return int(number) if number.is_integer() else number


class Nothing(serializers.Serializer):
    """No parameters."""


class MessageInput(serializers.Serializer):
    message = serializers.CharField(max_length=2000)


class DelayedMessageInput(MessageInput):
    countdown = FiniteField(default=10, min_value=0, max_value=3600)


class SlowInput(serializers.Serializer):
    duration = FiniteField(default=10, min_value=0, max_value=slow.MAX_DURATION)


class ProgressInput(serializers.Serializer):
    steps = serializers.IntegerField(default=20, min_value=1, max_value=progressing.MAX_STEPS)
    seconds = FiniteField(default=10, min_value=0, max_value=progressing.MAX_SECONDS)


class RetryInput(serializers.Serializer):
    succeed_after = serializers.IntegerField(default=2, min_value=0, max_value=retrying.MAX_RETRIES)


class SizeInput(serializers.Serializer):
    size = serializers.IntegerField(default=5, min_value=2, max_value=100)


class RowsInput(serializers.Serializer):
    rows = serializers.IntegerField(default=2000, min_value=1, max_value=large.MAX_ROWS)


class CharactersInput(serializers.Serializer):
    characters = serializers.IntegerField(default=20_000, min_value=0, max_value=large.MAX_CHARACTERS)


class FailsInput(serializers.Serializer):
    fails = serializers.BooleanField(default=False)
