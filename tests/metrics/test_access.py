"""Who may read the metrics, and how he says who he is."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from monitoring.api import tokens
from monitoring.queries.visibility import Visibility
from tests.factories import make_user, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_sign_in_has_failed():
    cache.clear()


def only_the_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def get(client: Client, **headers: str) -> Any:
    """The answer, and its whole `body`."""
    answer: Any = client.get("/metrics", headers=headers)
    answer.body = answer.getvalue()
    return answer


def test_nobody_is_told_how_to_say_who_he_is(client):
    answer = get(client)
    assert answer.status_code == 401
    assert {"Basic", "Bearer"} <= set(answer["WWW-Authenticate"].replace(",", "").split())
    assert b"flower" not in answer.body


def test_a_user_with_the_permission_reads_them_by_session_or_by_basic_authentication(client):
    user = make_user("scraper", "view_statistic", is_staff=False)
    make_worker()
    answer = get(client, **basic("scraper", "scraper"))
    assert answer.status_code == 200
    assert b"celery_worker_up{" in answer.body
    client.force_login(user)
    assert get(client).status_code == 200


def test_a_token_reads_them_as_far_as_its_scope_goes(client):
    user = make_user("scraper", "view_statistic", "view_task", is_staff=False)
    _, right = tokens.create(user, "prometheus", ["view_statistic"])
    other, wrong = tokens.create(user, "script", ["view_task"])
    assert get(client, Authorization=f"Bearer {right}").status_code == 200
    assert get(client, Authorization=f"Bearer {wrong}").status_code == 403
    other.refresh_from_db()
    assert other.last_used_at is not None
    tokens.revoke(other)
    assert get(client, Authorization=f"Bearer {wrong}").status_code == 401


def test_guessing_passwords_is_slowed_down_and_a_right_one_too(client, settings):
    settings.MONITORING = {**settings.MONITORING, "API_FAILED_SIGN_INS": 3}
    make_user("scraper", "view_statistic")
    seen = {get(client, **basic("scraper", f"guess {number}")).status_code for number in range(10)}
    assert seen == {401, 429}
    answer = get(client, **basic("scraper", "guess"))
    assert (answer.status_code, "Retry-After" in answer) in {(429, True), (401, False)}, (
        "a minute may be over"
    )


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic %%%",
        "Basic c2NyYXBlcg==",
        basic("scraper", "guess")["Authorization"],
        "Digest x",
        "Bearer x",
    ],
)
def test_wrong_credentials_are_refused(client, authorization):
    make_user("scraper", "view_statistic")
    assert get(client, Authorization=authorization).status_code == 401


def test_wrong_credentials_are_refused_also_to_one_who_is_signed_in(client):
    client.force_login(make_user("scraper", "view_statistic"))
    assert get(client, **basic("scraper", "guess")).status_code == 401


def test_a_user_without_the_permission_is_told_which_it_is(client):
    client.force_login(make_user("viewer", "view_task"))
    answer = get(client)
    assert answer.status_code == 403
    assert b"monitoring.view_statistic" in answer.body


def test_an_inactive_user_is_nobody(client):
    user = make_user("scraper", "view_statistic")
    user.is_active = False
    user.save()
    assert get(client, **basic("scraper", "scraper")).status_code == 401


def test_a_user_of_limited_visibility_gets_none(client, settings):
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_the_shop"}
    client.force_login(make_user("scraper", "view_statistic"))
    assert get(client).status_code == 403


def test_they_are_open_where_settings_say_so(client, settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_PUBLIC": True}
    assert get(client).status_code == 200


def test_the_accept_header_chooses_the_format_and_nothing_is_kept_in_a_cache(client, settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_PUBLIC": True}
    plain, openmetrics = get(client), get(client, Accept="application/openmetrics-text;version=1.0.0")
    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    assert openmetrics["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.body.endswith(b"# EOF\n")
    assert "Accept" in plain["Vary"]
    assert plain["Cache-Control"] == "no-store"


def test_only_reading_is_possible(settings):
    """Programs send no CSRF token, and would be shown a page about cookies."""
    settings.MONITORING = {**settings.MONITORING, "METRICS_PUBLIC": True}
    client = Client(enforce_csrf_checks=True)
    head: Any = client.head("/metrics")
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert client.post("/metrics").status_code == 405
