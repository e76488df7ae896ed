"""Pages by time: the audit log, dead letters, gaps."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...models import AuditEntry, DeadLetter, Gap
from ...models.audit_entry import Ending
from ...queries.audit import AuditFilter, audit_entries, audit_entry
from ...queries.dead_letters import dead_letters
from ...queries.gaps import gaps
from ...queries.paging import Cursor, Page
from ..etags import answer
from ..operations import Asked, Operation, Parameter
from ..shapes import ModelShape, Shape
from ..views import MonitoringView
from .task_questions import address

CURSOR = Parameter("cursor", "Of `next` and `previous`.")


class AuditEntryShape(ModelShape):
    """Who did what, when, to what, and what came of it."""

    targets = serializers.ListField(child=serializers.CharField(), help_text="Their ids; the first hundred.")
    results = serializers.ListField(help_text="Target, outcome, words and seconds; the first hundred.")
    answers = serializers.ListField(help_text="Of each worker: host name, answer, words, seconds.")

    class Meta:
        model = AuditEntry
        fields = [
            "id", "at", "user_id", "user_name", "via", "address", "verb", "target_kind", "targets", "target_count",
            "query", "parameters", "reason", "ending", "done", "left_out", "failed", "words", "results", "answers",
            "duration",
        ]  # fmt: skip
        extra_kwargs = {name: {"required": True} for name in fields if name not in ("id", "duration")}


class PageShape(Shape):
    """A page, newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class AuditPageShape(PageShape):
    results = AuditEntryShape(many=True)


class DeadLetterShape(ModelShape):
    """What could not be decoded or stored; never its body."""

    class Meta:
        model = DeadLetter
        fields = ["id", "received_at", "reason", "size", "digest", "content_type", "routing_key", "headers"]
        extra_kwargs = {name: {"required": True} for name in ("content_type", "routing_key", "headers")}


class DeadLetterPageShape(PageShape):
    estimated_count = serializers.IntegerField()
    results = DeadLetterShape(many=True)


class GapShape(ModelShape):
    """A stretch of time in which events may have passed unrecorded."""

    class Meta:
        model = Gap
        fields = ["id", "started_at", "ended_at", "reason"]


class GapPageShape(PageShape):
    results = GapShape(many=True)


class AuditView(MonitoringView):
    """GET: the audit log; a user of limited visibility sees their own entries."""

    permission = "monitoring.view_auditentry"
    tag = "audit"
    operations = {
        "GET": Operation(
            "List audit entries",
            AuditPageShape,
            "Newest first. A user of limited visibility sees their own.",
            errors=(400,),
            parameters=(
                Parameter("who", "Name of a user."),
                Parameter("verb"),
                Parameter("ending", choices=tuple(Ending.values)),
                Parameter("via", "`admin` or `api`."),
                Parameter("target", "Whole id or name of one target."),
                Parameter("from", kind="date-time"),
                Parameter("to", kind="date-time"),
                CURSOR,
            ),
        )
    }

    def get(self, request: Request) -> Response:
        asked = self.asked
        texts = {name: (asked[name] or "") for name in ("who", "verb", "ending", "via", "target")}
        texts = {name: text.replace("\0", "") for name, text in texts.items()}
        wanted = AuditFilter(**texts, since=asked["from"], until=asked["to"])
        found = audit_entries(self.actor.user, self.visibility, wanted, _cursor(asked))
        return Response(AuditPageShape({**_ways(request, found), "results": found.rows}).data)


class AuditEntryView(MonitoringView):
    """GET: one audit entry."""

    permission = "monitoring.view_auditentry"
    tag = "audit"
    operations = {"GET": Operation("One audit entry", AuditEntryShape, errors=(404,))}

    def get(self, request: Request, key: int) -> Response:
        found = audit_entry(self.actor.user, self.visibility, str(key))
        if found is None:
            raise Http404(_("There is no such audit entry"))
        return answer(request, AuditEntryShape(found).data)


class DeadLettersView(MonitoringView):
    """GET: dead letters."""

    permission = "monitoring.view_deadletter"
    needs_full_visibility = True
    tag = "log"
    operations = {
        "GET": Operation("List dead letters", DeadLetterPageShape, errors=(400,), parameters=(CURSOR,))
    }

    def get(self, request: Request) -> Response:
        found, number = dead_letters(self.visibility, _cursor(self.asked))
        told = {**_ways(request, found), "estimated_count": number.number, "results": found.rows}
        return Response(DeadLetterPageShape(told).data)


class GapsView(MonitoringView):
    """GET: gaps."""

    permission = "monitoring.view_gap"
    needs_full_visibility = True
    tag = "log"
    operations = {"GET": Operation("List gaps", GapPageShape, errors=(400,), parameters=(CURSOR,))}

    def get(self, request: Request) -> Response:
        found = gaps(self.visibility, _cursor(self.asked))
        return Response(GapPageShape({**_ways(request, found), "results": found.rows}).data)


def _cursor(asked: Asked) -> Cursor | None:
    """``<`` before a cursor reads on towards the newer ones. Raises ValidationError."""
    text = asked["cursor"]
    if not text:
        return None
    found = Cursor.parse(None, text[1:]) if text.startswith("<") else Cursor.parse(text, None)
    if found is None or not found.key.isdigit() or not found.key.isascii() or len(found.key) > 18:
        raise ValidationError({"cursor": [_("This is no cursor of this list")]})
    return found


def _ways(request: Request, page: Page[Any]) -> dict[str, str | None]:
    return {
        "next": address(request, cursor=str(page.older)) if page.older else None,
        "previous": address(request, cursor=f"<{page.newer}") if page.newer else None,
    }
