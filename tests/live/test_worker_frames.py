"""What the pages of workers are sent: the list as it is filtered, with its totals, and the head of one worker."""

from __future__ import annotations

import pytest

from monitoring.models import Worker
from tests.factories import VIEWER_PERMISSIONS, make_user, make_worker
from tests.live.sockets import Page, cookie_of, on_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cookie(transactional_db: None) -> str:
    return cookie_of(make_user("viewer", *VIEWER_PERMISSIONS))


async def test_the_list_is_sent_as_it_is_filtered_with_the_totals_of_what_matches(cookie: str) -> None:
    make = on_database(make_worker)
    await make("celery@mail-1", queues=["mail"], active=2, concurrency=4)
    await make("celery@mail-2", queues=["mail"], online=False)
    await make("celery@web-1", queues=["default"])
    async with Page(cookie, "page=workers&queue=mail&status=online") as page:
        frame = await page.frame()
    assert page.shown("workers") == ["celery@mail-1"]
    assert "1 of 1 online" in frame["totals"]["html"].replace("\u00a0", " ")
    assert "2 of 4" in frame["totals"]["html"].replace("\u00a0", " ")


async def test_the_head_of_one_worker_follows_it_until_it_is_gone(cookie: str) -> None:
    worker = await on_database(make_worker)("celery@w1", active=3)
    async with Page(cookie, "page=worker&worker=celery%40w1") as page:
        frame = await page.frame()
        assert "Online" in frame["worker"]["mon-worker-words"]
        assert "3 of 16" in frame["worker"]["mon-worker-facts"].replace("\u00a0", " ")
        await on_database(Worker.objects.filter(pk=worker.pk).update)(active=7)
        while "worker" not in (frame := await page.frame()):
            pass
        assert "7 of 16" in frame["worker"]["mon-worker-facts"].replace("\u00a0", " ")
        await on_database(Worker.objects.filter(pk=worker.pk).delete)()
        while "worker" not in (frame := await page.frame()):
            pass
        assert frame["worker"] is None


async def test_whoever_may_not_see_workers_is_sent_none(transactional_db: None) -> None:
    await on_database(make_worker)("celery@w1")
    cookie = await on_database(lambda: cookie_of(make_user("some", "view_task")))()
    for query in ("page=worker&worker=celery%40w1", "page=workers"):
        async with Page(cookie, query) as page:
            frame = await page.frame()
        assert not {"worker", "totals"} & set(frame)
        assert "celery@w1" not in str(frame)
