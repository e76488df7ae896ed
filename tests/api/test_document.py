"""The OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
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
