"""The OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_script_prefix, set_script_prefix
from openapi_spec_validator import OpenAPIV31SpecValidator

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(admin_client: Client) -> dict[str, Any]:
    response = admin_client.get("/api/schema/")
    assert response.status_code == 200
    return json.loads(response.content)


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


@pytest.fixture
def _below_a_prefix() -> Iterator[None]:
    set_script_prefix("/mon/")
    yield
    clear_script_prefix()


@pytest.mark.usefixtures("_below_a_prefix")
def test_below_a_prefix_its_addresses_have_it(document: dict[str, Any]) -> None:
    assert {"/mon/api/v1/", "/mon/api/v1/tasks/"} <= document["paths"].keys()
    assert all(path.startswith("/mon/api/v1/") for path in document["paths"])
    assert document["paths"]["/mon/api/v1/tasks/"]["get"]["operationId"] == "get_tasks"
