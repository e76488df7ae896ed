"""Saved views and chosen columns: whose they are, who sees them, and what each request refuses."""

from __future__ import annotations

from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import SavedView, TaskListChoice
from monitoring.models.saved_view import MAX_QUERY
from monitoring.queries.saved_views import SHIPPED, View, list_choices, opening_view, views_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db

JSON = {"Accept": "application/json"}
EVIL = "\"'><img src=x onerror=alert(2)><script>alert(1)</script>{{ 7*7 }}"


def url(name: str, *arguments: Any) -> str:
    return reverse(f"admin:monitoring_task_{name}", args=arguments)


def client_of(name: str, *permissions: str, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(make_user(name, *permissions))
    return client


@pytest.fixture
def oskar() -> Client:
    return client_of("oskar", "view_task")


@pytest.fixture
def priya() -> Client:
    return client_of("priya", "view_task", "share_savedview")


def add(client: Client, name: str = "Mine", query: str = "state=FAILURE", **fields: Any) -> Any:
    return client.post(url("view_add"), {"name": name, "query": query, **fields}, headers=JSON)


def views(client: Client) -> dict[str, Any]:
    return {view["name"]: view for view in client.get(url("views"), headers=JSON).json()["views"]}


def test_a_view_keeps_search_filters_sort_and_columns_and_no_place(oskar: Client) -> None:
    query = "?q=a+b&state=FAILURE&state=RETRY&sort=-runtime&columns=name&before=1,2&after=3&view=7"
    answer = add(oskar, query=query).json()
    kept = parse_qs(answer["view"]["query"])
    assert kept == {"q": ["a b"], "state": ["FAILURE", "RETRY"], "sort": ["-runtime"], "columns": ["name"]}
    assert answer["view"]["mine"]


def test_saving_without_scripts_leads_to_the_list_with_the_view(oskar: Client) -> None:
    response = oskar.post(url("view_add"), {"name": "Mine", "query": "state=FAILURE"})
    view = SavedView.objects.get()
    assert response["Location"] == f"{url('changelist')}?view={view.pk}&state=FAILURE"


def test_a_private_view_is_its_owners_alone(oskar: Client, priya: Client) -> None:
    add(oskar)
    key = SavedView.objects.get().pk
    assert "Mine" in views(oskar)
    assert "Mine" not in views(priya)
    for name in ("view_save", "view_delete"):
        assert priya.post(url(name, key), {"name": "x"}).status_code == 404
    assert priya.post(url("view_default"), {"view": str(key)}).status_code == 404
    assert SavedView.objects.get().name == "Mine"


def test_a_shared_view_is_seen_by_all_and_changed_by_its_owner(oskar: Client, priya: Client) -> None:
    add(priya, "Ours", shared="1")
    key = SavedView.objects.get().pk
    seen = views(oskar)["Ours"]
    assert (seen["owner"], seen["mine"], seen["shared"]) == ("priya", False, True)
    for name in ("view_save", "view_delete"):
        assert oskar.post(url(name, key), {"name": "x"}).status_code == 403
    assert SavedView.objects.get().name == "Ours"
    assert priya.post(url("view_save", key), {"shared": ""}, headers=JSON).json()["view"]["shared"] is False
    assert "Ours" not in views(oskar)


def test_not_even_a_superuser_deletes_what_another_shares(priya: Client, admin_client: Client) -> None:
    add(priya, "Ours", shared="1")
    assert admin_client.post(url("view_delete", SavedView.objects.get().pk)).status_code == 403
    assert SavedView.objects.exists()


def test_sharing_needs_its_permission(oskar: Client) -> None:
    assert add(oskar, "Ours", shared="1").status_code == 403
    add(oskar, "Mine")
    key = SavedView.objects.get().pk
    assert oskar.post(url("view_save", key), {"shared": "1"}).status_code == 403
    assert not SavedView.objects.get().shared
    assert oskar.get(url("views"), headers=JSON).json()["may_share"] is False


def test_a_view_is_renamed_rewritten_and_deleted(oskar: Client) -> None:
    add(oskar)
    key = SavedView.objects.get().pk
    oskar.post(url("view_save", key), {"name": "  New   name "})
    oskar.post(url("view_save", key), {"query": "state=LOST"})
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("New name", "state=LOST")
    oskar.post(url("view_delete", key))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("\0", ""),
        ("x" * 101, ""),
        ("a", "q=" + "x" * (MAX_QUERY + 1)),
        ("a", "a=1&" * 900),
    ],
)
def test_what_cannot_be_saved_is_said(oskar: Client, name: str, query: str) -> None:
    answer = add(oskar, name, query)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    page = oskar.post(url("view_add"), {"name": name, "query": query}, follow=True)
    assert answer.json()["detail"] in unescape(page.content.decode())
    assert not SavedView.objects.exists()


def test_one_name_stands_for_one_view_of_a_user(oskar: Client, priya: Client) -> None:
    assert add(oskar).status_code == 200
    assert "already" in add(oskar).json()["detail"]
    assert add(priya).status_code == 200
    assert SavedView.objects.count() == 2


def test_a_user_has_a_bounded_number_of_views(oskar: Client) -> None:
    add(oskar)
    owner = SavedView.objects.get().owner
    SavedView.objects.bulk_create(SavedView(owner=owner, name=f"v{n}") for n in range(99))
    assert add(oskar, "one more").status_code == 400


@pytest.mark.parametrize(
    "text", [EVIL, "javascript:alert(1)", "//evil.example/", "é🎉", "%00%zz", "a=b\r\nX: y"]
)
def test_hostile_names_and_queries_are_escaped(oskar: Client, text: str) -> None:
    assert add(oskar, text, text).status_code == 200
    response = oskar.get(url("views"))
    html = response.content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert 'href="javascript:' not in html
    assert 'href="//evil' not in html
    location = oskar.post(url("view_add"), {"name": text + "2", "query": text})["Location"]
    assert location.startswith(f"{url('changelist')}?view=")
    assert "\n" not in location


def test_everybody_has_the_shipped_views(oskar: Client) -> None:
    days = [timezone.localdate()]
    found = views(oskar)
    days.append(timezone.localdate())  # it may be midnight
    assert {"Failed today", "Running longer than 10 min", "Retrying", "Lost", "Waiting longest"} <= set(found)
    assert not SavedView.objects.exists()
    [finished] = parse_qs(found["Failed today"]["query"])["finished"]
    assert finished in [f">={day:%Y-%m-%d}" for day in days]


def opening(user: Any) -> View | None:
    return opening_view(user, list_choices(user))


def test_the_list_opens_with_the_default_view_of_each_user(oskar: Client, priya: Client) -> None:
    add(priya, "Ours", shared="1")
    view = SavedView.objects.get()
    oskar.post(url("view_default"), {"view": str(view.pk)})
    user = TaskListChoice.objects.get().user
    opened = opening(user)
    assert opened is not None
    assert opened.query == "state=FAILURE"
    assert views(oskar)["Ours"]["is_default"]
    assert not views(priya)["Ours"]["is_default"]
    oskar.post(url("view_default"), {"view": "lost"})
    opened = opening(user)
    assert opened is not None
    assert opened.name == SHIPPED["lost"].name
    oskar.post(url("view_default"), {"view": ""})
    assert opening(user) is None


def test_a_default_that_is_not_there_any_more_is_none(oskar: Client, priya: Client) -> None:
    add(priya, "Ours", shared="1")
    key = SavedView.objects.get().pk
    oskar.post(url("view_default"), {"view": str(key)})
    user = TaskListChoice.objects.get().user
    priya.post(url("view_save", key), {"shared": ""})
    assert opening(user) is None
    priya.post(url("view_delete", key))
    assert opening(user) is None


@pytest.mark.parametrize("key", ["nothing", "999", "9" * 40, "-1", "١", "1.5", "\0", EVIL])
def test_what_is_no_view_cannot_be_the_default(oskar: Client, key: str) -> None:
    assert oskar.post(url("view_default"), {"view": key}).status_code == 404
    assert not TaskListChoice.objects.exists()


def test_columns_are_kept_in_their_order_for_each_user(oskar: Client, priya: Client) -> None:
    answer = oskar.post(
        url("columns"), {"columns": ["retries", "name", "state", "retries", "password", "\0"]}, headers=JSON
    )
    assert answer.json()["columns"] == ["retries", "name", "state"]
    assert oskar.get(url("views"), headers=JSON).json()["columns"] == ["retries", "name", "state"]
    assert "worker" in priya.get(url("views"), headers=JSON).json()["columns"]
    oskar.post(url("columns"), {})
    assert "worker" in oskar.get(url("views"), headers=JSON).json()["columns"]


def test_state_and_name_are_always_shown(oskar: Client) -> None:
    answer = oskar.post(url("columns"), {"columns": ["queue"]}, headers=JSON)
    assert answer.json()["columns"] == ["state", "name", "queue"]


def test_a_payload_column_is_not_shown_without_its_permission(oskar: Client) -> None:
    answer = oskar.post(url("columns"), {"columns": ["name", "state", "args", "result"]}, headers=JSON)
    assert answer.json()["columns"] == ["name", "state"]


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ("up:queue", ["state", "queue", "name", "retries"]),
        ("down:state", ["name", "state", "queue", "retries"]),
        ("up:state", ["state", "name", "queue", "retries"]),
        ("down:retries", ["state", "name", "queue", "retries"]),
        ("up:worker", ["state", "name", "queue", "retries"]),
        ("sideways:queue", ["state", "name", "queue", "retries"]),
        ("\0", ["state", "name", "queue", "retries"]),
    ],
)
def test_a_column_moves_without_scripts(oskar: Client, move: str, expected: list[str]) -> None:
    columns = ["state", "name", "queue", "retries"]
    response = oskar.post(url("columns"), {"columns": columns, "move": move, "query": "state=LOST"})
    assert response["Location"] == f"{url('changelist')}?state=LOST"
    assert TaskListChoice.objects.get().columns == expected


def test_columns_without_scripts_lead_back_to_the_same_list(oskar: Client) -> None:
    response = oskar.post(url("columns"), {"columns": ["queue"], "query": "state=LOST&before=1,a"})
    assert response["Location"] == f"{url('changelist')}?state=LOST"


POSTS = [("view_add",), ("view_default",), ("columns",), ("view_save", 1), ("view_delete", 1)]


@pytest.mark.parametrize("post", POSTS)
def test_nothing_changes_by_a_link_without_csrf_or_without_permission(post: tuple[Any, ...]) -> None:
    assert client_of("a", "view_task").get(url(*post)).status_code == 405
    assert client_of("b", "view_task", enforce_csrf_checks=True).post(url(*post)).status_code == 403
    assert client_of("c", "view_worker").post(url(*post), {"name": "x"}).status_code == 403
    assert Client().post(url(*post), {"name": "x"}).status_code == 302
    assert not SavedView.objects.exists()
    assert not TaskListChoice.objects.exists()


def test_a_users_views_go_with_the_user(oskar: Client) -> None:
    add(oskar)
    oskar.post(url("columns"), {"columns": ["queue"]})
    SavedView.objects.get().owner.delete()
    assert not SavedView.objects.exists()
    assert not TaskListChoice.objects.exists()


def test_the_menu_costs_the_same_for_many_views(django_assert_num_queries: Any) -> None:
    user = make_user("many", "view_task")
    SavedView.objects.bulk_create(SavedView(owner=user, name=f"v{n}") for n in range(50))
    with django_assert_num_queries(1):
        assert len(views_of(user)) == 50 + len(SHIPPED)
