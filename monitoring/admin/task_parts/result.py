"""The full result, fetched from the result backend when a reader asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ... import formatting
from ...celery_app import watched_app
from ...models import Task
from ...queries.results import MAX_SIZE, TIMEOUT, Stored, Why, stored_result
from .values import Value, json_value


@dataclass(frozen=True)
class FetchedResult:
    """`value`, or `words`: why there is none."""

    value: Value | None
    words: str
    backend: str


def fetched_result(task: Task) -> FetchedResult:
    """Asks the backend: up to some seconds. The caller has checked that the reader may see payload."""
    found = stored_result(watched_app(), task)
    if found.why is not None:
        return FetchedResult(None, _why(found), found.backend)
    return FetchedResult(json_value(found.json or "null"), "", found.backend)


def _why(found: Stored) -> str:
    words = {"detail": found.detail, "backend": found.backend, "most": formatting.size(MAX_SIZE)}
    match found.why:
        case Why.DISABLED:
            return _("The Celery app has no result backend.")
        case Why.KIND:
            return (
                _(
                    "%(backend)s is not read: what it holds cannot be had without decoding it, which may run code."
                )
                % words
            )
        case Why.SERIALIZER:
            return (
                _("Results are stored as %(detail)s. Only JSON is read: decoding others may run code.")
                % words
            )
        case Why.MISSING:
            return _("The result backend holds no result of this task: it may have expired or been ignored.")
        case Why.TOO_LONG:
            words["detail"] = formatting.size(int(found.detail))
            return _("The stored result has %(detail)s. At most %(most)s are shown.") % words
        case Why.NOT_JSON:
            return _("What the result backend holds is not the JSON that Celery writes.")
    words["seconds"] = formatting.duration(TIMEOUT)
    return _("The result backend did not answer within %(seconds)s, or not as expected: %(detail)s.") % words
