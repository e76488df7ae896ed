"""Who may open a socket, and for how long."""

import importlib

import pytest
from channels.routing import URLRouter

from monitoring.live import socket as socket_module
from monitoring.live.broadcaster import watchers
from monitoring.live.messages import MAX_BYTES
from monitoring.routing import websocket_urlpatterns
from tests.factories import VIEWER_PERMISSIONS, make_user
from tests.live.conftest import PATIENCE
from tests.live.sockets import Page, cookie_of, on_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def viewer(transactional_db):
    return make_user("viewer", *VIEWER_PERMISSIONS)


@pytest.fixture
def cookie(viewer):
    return cookie_of(viewer)


async def test_a_viewer_gets_a_full_frame(cookie):
    async with Page(cookie) as page:
        frame = await page.frame()

        assert watchers() == 1

    assert watchers() == 0
    assert frame["full"]
    assert set(frame["lists"]) == {"running", "finished", "workers"}


async def test_who_is_not_signed_in_is_closed_with_4401_and_gets_no_frame(transactional_db):
    async with Page() as page:
        assert await page.close_code() == 4401
        assert page.frames == []


@pytest.mark.parametrize("kind", [{"is_staff": True}, {"is_staff": False}])
async def test_who_may_not_see_tasks_is_closed_with_4403_and_gets_no_frame(transactional_db, kind):
    user = await on_database(make_user)("somebody", *(() if kind["is_staff"] else ("view_task",)), **kind)
    async with Page(await on_database(cookie_of)(user)) as page:
        assert await page.close_code() == 4403
        assert page.frames == []


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://localhost:9999", "null", ""])
async def test_another_origin_is_refused_before_it_is_accepted(cookie, origin):
    page = Page(cookie, origin=origin)
    connected, _ = await page.socket.connect(timeout=PATIENCE)
    assert not connected
    await page.socket.disconnect(timeout=PATIENCE)


async def test_an_origin_that_the_project_trusts_is_accepted(cookie, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.elsewhere.example"]
    async with Page(cookie, origin="https://desk.elsewhere.example") as page:
        await page.frame()


async def test_the_socket_itself_refuses_whatever_a_project_wraps_it_in(cookie):
    """A project of one's own may leave out every validator."""
    page = Page(cookie, application=URLRouter(websocket_urlpatterns), origin="http://localhost:9999")
    connected, _ = await page.socket.connect(timeout=PATIENCE)
    assert not connected
    await page.socket.disconnect(timeout=PATIENCE)


@pytest.mark.parametrize("query", ["page=nothing", "page=monitor&q=" + "x" * 5_000, "&".join("a" * 2_000)])
async def test_a_query_that_no_page_sends_is_closed_with_4400(cookie, query):
    async with Page(cookie, query) as page:
        assert await page.close_code() == 4400


@pytest.fixture
def often(monkeypatch):
    """Looks at session and permissions every moment."""
    monkeypatch.setattr(socket_module, "RECHECK", 0.2)


async def test_a_reader_who_signs_out_is_closed_with_4401(often, cookie, client):
    async with Page(cookie) as page:
        await page.frame()
        key = cookie.partition("=")[2]
        sessions = importlib.import_module("django.contrib.sessions.backends.db").SessionStore
        await on_database(sessions(key).delete)()
        assert await page.close_code() == 4401


async def test_a_reader_whose_password_was_changed_is_closed_with_4401(often, viewer, cookie):
    async with Page(cookie) as page:
        await page.frame()
        viewer.set_password("another one")
        await on_database(viewer.save)()
        assert await page.close_code() == 4401


async def test_a_reader_who_loses_the_permission_is_closed_with_4403(often, viewer, cookie):
    async with Page(cookie) as page:
        await page.frame()
        await on_database(viewer.user_permissions.clear)()
        assert await page.close_code() == 4403


async def test_a_deactivated_reader_is_closed_with_4401(often, viewer, cookie):
    async with Page(cookie) as page:
        await page.frame()
        viewer.is_active = False
        await on_database(viewer.save)()
        assert await page.close_code() == 4401


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "1",
        '{"type": "shutdown"}',
        '{"type": "ack"}',
        '{"type": "ack", "seq": "1"}',
        '{"type": "ack", "seq": true}',
        '{"type": "filter", "query": 1}',
        "[" * 4_000,
        '{"type": "pause", "pad": "' + "x" * MAX_BYTES + '"}',
    ],
)
async def test_a_message_that_no_page_sends_is_closed_with_4400(cookie, text):
    async with Page(cookie) as page:
        await page.frame()
        await page.socket.send_to(text)
        assert await page.close_code() == 4400


async def test_a_page_that_talks_without_end_is_closed_with_4429(cookie):
    async with Page(cookie) as page:
        await page.frame()
        for _ in range(60):
            await page.say("refresh")
        assert await page.close_code() == 4429
