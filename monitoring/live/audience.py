"""Who gets the same frames: sockets that ask for the same and may see the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.utils.translation import get_supported_language_variant

from monitoring.live.fetched import FETCHED
from monitoring.live.reader import Reader
from monitoring.queries.search.question import Question
from monitoring.queries.task_list import Asked
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_filter import WorkerFilter

#: What a frame can be about.
PAGES = ("monitor", "tasks", "task", "workers", "worker", *FETCHED, "strip")
#: Longest query string in characters, most columns, and longest name of one.
MAX_QUERY, MAX_COLUMNS, MAX_NAME = 4_096, 40, 60
#: Longest id of a task and longest name of a worker, in characters.
MAX_ID = 255


class BadQuery(ValueError):
    """A query string that no page of ours sends."""


@dataclass(frozen=True)
class Subscription:
    """What a query string asks for; see docs/live.md. `language` is one that the site has.

    `object_id` is the task's id or the worker's host name where the page is that of one.
    """

    page: str
    question: Question
    workers: WorkerFilter
    object_id: str
    columns: tuple[str, ...]
    language: str
    site: str

    @classmethod
    def parse(cls, query_string: str) -> tuple[Subscription, int | None]:
        """The subscription, and the cursor of the page (None: it has none). Raises :class:`BadQuery`."""
        query = _query(query_string)
        page = query.get("page", "strip")
        if page not in PAGES:
            raise BadQuery(f"no such page: {page!r:.40}")
        cursor = query.get("cursor", "")
        subscription = cls(
            page=page,
            question=Question(),
            workers=WorkerFilter(),
            object_id=query.get(page, "")[:MAX_ID] if page in ("task", "worker") else "",
            columns=(),
            language=_language(query.get("lang", "")),
            site=query.get("site", "admin")[:MAX_NAME],
        ).filtered(query_string)
        return subscription, int(cursor) if cursor.isascii() and cursor.isdigit() and len(
            cursor
        ) < 19 else None

    def filtered(self, query_string: str) -> Subscription:
        """The same page with the filters and columns of another query string. Raises :class:`BadQuery`."""
        if self.page not in ("monitor", "tasks", "workers"):
            return self
        query = _query(query_string)
        if self.page == "workers":
            return replace(
                self, workers=WorkerFilter.from_query({name: str(value) for name, value in query.items()})
            )
        columns = tuple(column[:MAX_NAME] for column in query.getlist("column")[:MAX_COLUMNS])
        question = Question.read((name, value) for name, values in query.lists() for value in values)
        return replace(self, question=question, columns=columns)


@dataclass(frozen=True)
class Look:
    """Everything that the HTML of a row depends on beside the row itself."""

    language: str
    site: str
    prefix: str
    columns: tuple[str, ...]
    permissions: frozenset[str]
    visibility: Visibility


@dataclass(frozen=True)
class Audience:
    """The key under which frames are made: nothing is ever shared by two different ones but rows of an equal look."""

    page: str
    question: Question
    workers: WorkerFilter
    object_id: str
    look: Look

    @classmethod
    def of(cls, subscription: Subscription, reader: Reader, prefix: str) -> Audience:
        """`prefix`: what addresses of this site begin with, ``/`` or ``/monitor/``."""
        return cls(
            subscription.page,
            subscription.question,
            subscription.workers,
            subscription.object_id,
            Look(
                subscription.language,
                subscription.site,
                prefix,
                subscription.columns,
                reader.permissions,
                reader.visibility,
            ),
        )

    @property
    def visibility(self) -> Visibility:
        return self.look.visibility

    def asked(self) -> Asked:
        """Its question, as of now: relative times move on."""
        return Asked(self.visibility, self.question, self.with_payload)

    @property
    def with_payload(self) -> bool:
        return "view_payload" in self.look.permissions


def _query(query_string: str) -> QueryDict:
    if len(query_string) > MAX_QUERY:
        raise BadQuery("query string too long")
    try:
        return QueryDict(query_string)
    except SuspiciousOperation as error:
        raise BadQuery(str(error)) from error


def _language(code: str) -> str:
    try:
        return get_supported_language_variant(code)
    except LookupError:
        return settings.LANGUAGE_CODE
