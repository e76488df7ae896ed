"""Who may read what tasks carry: arguments, results, exceptions' texts, tracebacks, and whole events."""

from __future__ import annotations

from django.http import HttpRequest


def may_view_payload(request: HttpRequest) -> bool:
    return request.user.has_perm("monitoring.view_payload")
