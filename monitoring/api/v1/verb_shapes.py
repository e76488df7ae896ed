"""What the use of a verb answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ...control.contract import Outcome
from ...control.verbs import VERBS
from ..shapes import NumberField, Shape


class ResultShape(Shape):
    """What became of one target."""

    target = serializers.CharField()
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in Outcome],
        help_text="`no confirmation`: sent, nobody answered, the effect may still come.",
    )
    words = serializers.CharField(help_text="Why not, or what was seen of it.")
    seconds = NumberField(allow_null=True)
    observed = serializers.BooleanField(
        allow_null=True, help_text="Whether the effect was seen; null: not looked for."
    )
    made = serializers.CharField(help_text="Id of the task that it started, if it did.")


class AnswerShape(Shape):
    """What one worker said."""

    said = serializers.CharField(help_text="`acknowledged`, `refused` or `no confirmation`.")
    words = serializers.CharField()
    seconds = NumberField(allow_null=True)


class UsedShape(Shape):
    """A use of a verb."""

    verb = serializers.CharField()
    dry_run = serializers.BooleanField()
    audit_entry = serializers.IntegerField(allow_null=True, help_text="Null for a dry run.")
    results = ResultShape(many=True, help_text="In the order of the targets.")
    answers = serializers.DictField(child=AnswerShape(), help_text="By host name of the worker.")


class VerbShape(Shape):
    """A row of the table of verbs."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the name of an attribute
    permission = serializers.CharField()
    allowed = serializers.BooleanField(help_text="Whether you may use it.")
    target_kind = serializers.ChoiceField(choices=sorted({verb.target_kind for verb in VERBS.values()}))
    destroys = serializers.BooleanField()
    consequence = serializers.CharField()
    lasts = serializers.CharField()
    pools = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text="Null: all.")
    parameters = serializers.ListField(child=serializers.CharField())


class VerbsShape(Shape):
    results = VerbShape(many=True)


EXAMPLE: dict[str, Any] = {
    "verb": "revoke",
    "dry_run": False,
    "audit_entry": 812,
    "results": [
        {
            "target": "9f31c2d4-0f4e-4c5e-9f0a-52c1b8f3a7d0",
            "outcome": "done",
            "words": "Observed: it is REVOKED",
            "seconds": 0.4,
            "observed": True,
            "made": "",
        }
    ],
    "answers": {"celery@pay-1": {"said": "acknowledged", "words": "", "seconds": 0.02}},
}
