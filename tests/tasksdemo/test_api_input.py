"""Bad input to the demo API is answered with 400 and the reason, before anything is sent."""

import json

import pytest
from django.test import Client

from tasksdemo.tasks import slow

JSON = "application/json"


@pytest.fixture
def client():
    # As curl: no cookie, no CSRF token.
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "message: This field is required."),
        ({"message": ""}, "message: This field may not be blank."),
        ({"message": "   "}, "message: This field may not be blank."),
        ({"message": None}, "message: This field may not be null."),
        ({"message": ["a", "b"]}, "message: Not a valid string."),
        ({"message": "a\x00b"}, "message: Null characters are not allowed."),
        ({"message": "x" * 2001}, "message: Ensure this field has no more than 2000 characters."),
        (["a list"], "Invalid data. Expected a dictionary, but got list."),
        ("a text", "Invalid data. Expected a dictionary, but got str."),
    ],
)
def test_a_message_must_be_a_text(client, body, reason):
    response = client.post("/tasks/", json.dumps(body), JSON)

    assert response.status_code == 400
    assert response.json()["detail"] == reason


@pytest.mark.parametrize(
    "duration", ["", "ten", "nan", "inf", "-inf", "-1", "600.1", "1e300", "1" * 2000, "null"]
)
def test_a_duration_must_be_a_number_of_seconds_within_limits(client, duration):
    response = client.post(f"/tasks/slow?duration={duration}")

    assert response.status_code == 400
    assert response.json()["detail"].startswith("duration: ")
    assert list(response.json()["errors"]) == ["duration"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("slow", {"duration": [1]}, "duration"),
        ("slow", {"duration": slow.MAX_DURATION + 1}, "duration"),
        ("progress", {"steps": 0}, "steps"),
        ("progress", {"seconds": 601}, "seconds"),
        ("retry", {"succeed_after": 6}, "succeed_after"),
        ("chain", {"size": 1}, "size"),
        ("group", {"size": 101}, "size"),
        ("chord", {"size": "many"}, "size"),
        ("countdown", {"message": "x", "countdown": -1}, "countdown"),
        ("large", {"rows": 1_000_000}, "rows"),
        ("long-text", {"characters": -1}, "characters"),
        ("secret", {"fails": "perhaps"}, "fails"),
    ],
)
def test_every_parameter_has_limits(client, path, body, field):
    response = client.post(f"/tasks/{path}", json.dumps(body), JSON)

    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{field}: ")


def test_a_body_that_is_no_json_is_told_so(client):
    response = client.post("/tasks/", "{not json", JSON)

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")


def test_a_body_of_an_unknown_kind_is_refused(client):
    response = client.post("/tasks/", "<message/>", "text/xml")

    assert response.status_code == 415
    assert "text/xml" in response.json()["detail"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/tasks/").status_code == 405
    assert getattr(client, method)("/tasks/some-id/").status_code == 405


def test_an_id_with_a_nul_character_is_not_found(client):
    assert client.get("/tasks/a%00b/").status_code == 404
