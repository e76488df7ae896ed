"""What the demo API says about a task is always strict JSON, whatever the backend holds."""

import json

import pytest
from celery import current_app
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tasksdemo.outcome import json_safe

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner)
        | st.sets(st.integers())
    ),
)


@given(anything)
def test_any_value_becomes_json_that_a_strict_parser_reads(value):
    text = json.dumps(json_safe(value), ensure_ascii=False, allow_nan=False)

    json.loads(text.encode("utf-8"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        st.lists,
    )
)
def test_what_is_json_already_stays_as_it_is(value):
    assert json_safe(value) == value


def test_a_circle_becomes_text():
    circle = []
    circle.append(circle)

    assert json_safe(circle) == "[[...]]"


@pytest.mark.django_db
@pytest.mark.parametrize("trailing", ["", "/"])
@pytest.mark.parametrize("task_id", ["plain", "with/slash", "mit leerzeichen", "日本語"])
def test_results_are_found_by_any_id(client, task_id, trailing):
    current_app.backend.store_result(task_id, {"n": 1}, "SUCCESS")

    assert client.get(f"/tasks/{task_id}{trailing}").json() == {
        "task_id": task_id,
        "status": "SUCCESS",
        "state": "SUCCESS",
        "result": {"n": 1},
        "error": None,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["FAILURE", "RETRY", "REVOKED"])
def test_an_exception_is_told_by_type_and_message(client, state):
    current_app.backend.store_result("broken", ValueError("no postal code"), state)

    answer = client.get("/tasks/broken").json()

    assert answer["state"] == state
    assert answer["result"] is None
    assert answer["error"] == {"type": "ValueError", "message": "no postal code"}


@pytest.mark.django_db
def test_a_running_task_has_no_result_yet(client):
    current_app.backend.store_result("running", {"pid": 4121, "hostname": "celery@pay-1"}, "STARTED")

    assert client.get("/tasks/running").json()["result"] is None


@pytest.mark.django_db(transaction=True)
def test_a_result_backend_that_fails_is_a_503(client):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_celery_results_taskresult RENAME TO away")
    try:
        response = client.get("/tasks/some-id")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO django_celery_results_taskresult")

    assert response.status_code == 503
    assert response.json()["detail"]
