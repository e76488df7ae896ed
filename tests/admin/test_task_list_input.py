"""No address of the task list gives an error page, and each leads to one form of itself."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.queries.search.fields import FIELDS
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user

NAMES = [
    *FIELDS, *(f"-{name}" for name in FIELDS), "q", "q", "sort", "place", "look", "view", "column", "period", "from",
    "to", "_runtime_from", "_runtime_to", "_wait_to", "_retries_from", "_time_field", "_time_from", "_time_to", "x",
]  # fmt: skip
WORDS = st.sampled_from(
    ["", "FAILURE", "shop.*", "*", '"', "(", "a OR b", "-", ">1s", "1..2", "..", "-1h", "now", "14:18", "2026-11-22",
     "9999-12-31", "<", ">=", "\0", "state:x", "nothing:x", "runtime:>1s", "-runtime", "name", "1", "none", "\ud7ff",
     "\U0010ffff", "a" * 3000]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=30) | st.lists(WORDS, max_size=4).map(" ".join)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=6)


@pytest.fixture
def viewer(db: None) -> Client:
    make_task(state="FAILURE", exception_type="KeyError", name="shop.tasks.pay")
    client = Client()
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    return client


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=QUERIES)
def test_any_address_gives_a_page_after_at_most_one_redirect(
    viewer: Client, query: list[tuple[str, str]]
) -> None:
    url = reverse("admin:monitoring_task_changelist")
    encoded = urlencode(query, errors="surrogatepass")
    response = viewer.get(f"{url}?{encoded}")
    if response.status_code == 302:
        response = viewer.get(response["Location"])
    assert response.status_code == 200


def test_a_mistake_is_marked_where_it_stands(viewer: Client) -> None:
    url = reverse("admin:monitoring_task_changelist")
    html = viewer.get(url, {"q": "shop runtime:abc"}).content.decode()
    assert "<mark>abc</mark>" in html
    assert "abc is no duration" in html
    assert 'value="shop runtime:abc"' in html, "it stays in the box, to be mended"
    assert "<tr data-task" not in html
    html = viewer.get(url, {"-state": "LOSTT"}).content.decode()
    assert "-state: <mark>LOSTT</mark>" in html


def test_a_search_that_needs_a_range_of_time_offers_some(viewer: Client) -> None:
    url = reverse("admin:monitoring_task_changelist")
    page = viewer.get(url, {"exception": "*Key*"}).content.decode()
    banner = page.partition('id="mon-mistakes"')[2].partition("</div>")[0]
    assert "needs a time range" in banner
    links = re.findall(r'<a class="mon-button" href="([^"]+)">', banner)
    assert len(links) == 3
    for link in links:
        bounded = viewer.get(url + unescape(link)).content.decode()
        assert "mon-mistakes" not in bounded
        assert "KeyError" in bounded

    assert (
        '<a class="mon-button"'
        not in viewer.get(url, {"q": "("})
        .content.decode()
        .partition('id="mon-mistakes"')[2]
        .partition("</div>")[0]
    )


def test_typed_words_join_the_filter_as_chips(viewer: Client) -> None:
    url = reverse("admin:monitoring_task_changelist")
    response = viewer.get(url, {"state": "SUCCESS", "q": ["a OR b", "worker:w1 queue:x"]})
    assert response["Location"] == f"{url}?" + urlencode(
        [("state", "SUCCESS"), ("q", "(a OR b) worker:w1 queue:x")]
    )
    html = viewer.get(response["Location"]).content.decode()
    assert html.count('aria-label="Remove') == 4
