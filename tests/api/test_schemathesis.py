"""Whatever the OpenAPI document allows, and more: no fault, no status and no shape that it does not have.

Some examples for each operation, the same ones each time. What verbs send goes to a broker in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from monitoring.api.document import document
from monitoring.api.v1 import changes, verbs
from monitoring.control.perform import perform
from tests.factories import make_dead_letter, make_event, make_gap, make_task, make_worker
from tests.people import OPERATOR, make_person

from . import watched_app
from .conftest import bearer

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.api.watched_app.app",
        "CONTROL_TIMEOUT": 0.02,
        "API_RATE": None,
        # Some examples sign in with what nobody has.
        "API_FAILED_SIGN_INS": 1_000_000,
    }
    monkeypatch.setattr(changes, "_end", lambda seconds: 0.0)
    # An example may ask to wait for half a minute.
    monkeypatch.setattr(verbs, "perform", lambda *a, **k: partial(perform, *a)(**{**k, "patience": 0.0}))
    task = make_task("0", state="FAILURE", exception="OSError('x')", exception_type="OSError")
    make_event(task, "task-received", 1, retries=0)
    make_event(task, "task-failed", 2, exception="OSError('x')", traceback="Traceback")
    make_task("1", state="STARTED", attempt_started_at=timezone.now())
    make_worker("0")
    make_gap()
    make_dead_letter()
    # As Django's own test client does: the test's transaction goes on from request to request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    watched_app.purge()


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize(("person", "number"), [("anonymous", 2), (OPERATOR, 8)])
def test_nothing_is_answered_that_the_document_has_not(person: str, number: int) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
    schema.app = WSGIHandler()
    user = make_person(person)
    scopes = [] if user is None else [p.removeprefix("monitoring.") for p in user.get_all_permissions()]
    headers = {} if user is None else bearer(user, *scopes)
    statuses: set[int] = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(1)
        @examples(
            max_examples=number,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            response = case.call(headers=headers)
            statuses.add(response.status_code)
            case.validate_response(response, checks=CHECKS)
            assert person != "anonymous" or response.status_code == 401

        ask()
    assert statuses == {401} if user is None else statuses > {200, 400, 404}, statuses
