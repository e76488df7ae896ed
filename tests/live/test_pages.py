"""What open pages are sent: as much as they may see and asked for, no more, and everything in the end."""

import asyncio
import itertools
import json
import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.live import broadcaster as broadcaster_module
from monitoring.live.frames import MAX_BYTES
from monitoring.live.socket import MonitoringSocket
from monitoring.models import Task
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user, make_worker
from tests.live.sockets import Page, cookie_of, on_database, tell

pytestmark = pytest.mark.django_db(transaction=True)


def only_shop(user):
    return Visibility(names=("shop.*",))


@pytest.fixture
def cookie(transactional_db):
    return cookie_of(make_user("viewer", *VIEWER_PERMISSIONS))


def running_task(task_id: str, seconds: float = 10, **fields) -> Task:
    started = timezone.now() - timedelta(seconds=seconds)
    return make_task(
        task_id,
        **{
            "state": "STARTED",
            "runtime": None,
            "attempt_started_at": started,
            "first_seen": started,
            **fields,
        },
    )


def finish(task_id: str, state: str = "SUCCESS") -> None:
    Task.objects.filter(pk=task_id).update(state=state, finished_at=timezone.now(), runtime=1.5)
    tell(task_id, succeeded=1)


def run_before(name: str, times: int, seconds: float) -> None:
    """Tasks that ran yesterday, and their statistics."""
    ended = timezone.now() - timedelta(days=1)
    for _ in range(times):
        make_task(name=name, runtime=seconds, finished_at=ended)
    store_buckets("default", count_minutes("default", {start_of(ended, MINUTE)}))


start = on_database(running_task)
end = on_database(finish)
announce = on_database(tell)


async def test_a_task_that_starts_and_ends_moves_from_running_to_finished(cookie):
    await start("older", seconds=60)
    async with Page(cookie) as page:
        await page.frame()
        assert page.shown("running") == ["older"]

        await start("new", seconds=1)
        await announce("new")
        await page.until(lambda: page.shown("running") == ["older", "new"], "it had to appear")
        assert "STARTED" in page.html("running", "new")

        await end("older")
        await page.until(lambda: page.shown("running") == ["new"], "it had to leave the running ones")
        assert page.shown("finished") == ["older"]
        assert "SUCCESS" in page.html("finished", "older")


async def test_a_retry_that_starts_again_leaves_the_finished_ones(cookie):
    await on_database(make_task)("again", state="RETRY", updated_at=timezone.now())
    async with Page(cookie) as page:
        await page.frame()
        assert page.shown("finished") == ["again"]
        await on_database(Task.objects.filter(pk="again").update)(
            state="STARTED", attempt_started_at=timezone.now()
        )
        await announce("again")
        await page.until(lambda: page.shown("running") == ["again"], "it had to run again")
        assert page.shown("finished") == []


async def test_progress_is_a_new_version_of_the_row(cookie):
    await start("slow")
    async with Page(cookie) as page:
        await page.frame()
        await on_database(Task.objects.filter(pk="slow").update)(
            progress=0.41, progress_current=41, progress_total=100, progress_message="half way"
        )
        await announce("slow")
        await page.until(lambda: "half way" in page.html("running", "slow"), "the message had to appear")


async def test_a_row_says_how_long_its_task_usually_runs(cookie):
    await on_database(run_before)("shop.pay", 20, seconds=2.0)
    await start("long", seconds=60, name="shop.pay")
    await start("new", seconds=60, name="shop.unheard_of")
    async with Page(cookie) as page:
        await page.frame()
        assert re.search("usually (1.9|2.0)", page.html("running", "long"))
        assert "mon-elapsed mon-bad" in page.html("running", "long")
        assert "usually" not in page.html("running", "new")


async def test_a_row_that_has_not_changed_is_not_sent_again(cookie):
    await start("same")
    await start("other")
    async with Page(cookie) as page:
        await page.frame()
        await on_database(Task.objects.filter(pk="other").update)(progress=0.5)
        await announce("same", "other")
        await page.until(
            lambda: "other" in page.frames[-1].get("lists", {}).get("running", {}).get("rows", {}), "sent"
        )
        assert all(
            "same" not in frame.get("lists", {}).get("running", {"rows": {}})["rows"]
            for frame in page.frames[1:]
        )


async def test_two_pages_with_different_filters_get_different_rows(cookie):
    async with (
        Page(cookie, "page=monitor&name=shop.*") as shop,
        Page(cookie, "page=monitor&worker=celery@w2") as w2,
    ):
        await shop.frame()
        await w2.frame()
        await start("a", name="shop.pay", worker="celery@w1")
        await start("b", name="mail.send", worker="celery@w2")
        await announce("a", "b")
        await shop.until(lambda: shop.shown("running"), "a row had to come")
        await w2.until(lambda: w2.shown("running"), "a row had to come")

        assert shop.shown("running") == ["a"]
        assert w2.shown("running") == ["b"]


async def test_a_filter_is_changed_without_a_new_connection(cookie):
    await start("a", name="shop.pay")
    await start("b", name="mail.send")
    async with Page(cookie, "page=monitor") as page:
        await page.frame()
        assert set(page.shown("running")) == {"a", "b"}
        await page.say("filter", query="name=mail.send")
        await page.until(lambda: page.shown("running") == ["b"], "only the matching one had to stay")
        assert page.frames[-1]["full"]


async def test_a_task_that_leaves_the_filter_leaves_the_list(cookie):
    await on_database(make_task)("a", state="FAILURE")
    await on_database(make_task)("b", state="FAILURE")
    async with Page(cookie, "page=tasks&state=FAILURE") as page:
        await page.frame()
        assert set(page.shown("tasks")) == {"a", "b"}
        await on_database(Task.objects.filter(pk="a").update)(state="STARTED")
        await announce("a")
        await page.until(lambda: page.shown("tasks") == ["b"], "it had to go")


async def test_what_many_hides_is_shown_all_the_same(cookie):
    await start("long", seconds=3_600)
    async with Page(cookie, "page=monitor") as page, Page(cookie, "page=tasks") as tasks:
        await page.frame()
        await tasks.frame()
        await on_database(make_task)("new")
        await on_database(Task.objects.filter(pk="long").update)(state="FAILURE", finished_at=timezone.now())
        await announce(many=True, failed=1)
        await page.until(lambda: "long" in page.shown("finished"), "the long one had to have ended")
        await tasks.until(lambda: "new" in tasks.shown("tasks"), "the new one had to be listed")
        assert page.shown("running") == []
        await tasks.until(lambda: "FAILURE" in tasks.html("tasks", "long"), "its row had to change")


async def test_many_audiences_are_all_renewed_while_the_feed_says_many(cookie):
    """A rare task behind thousands of others, which only a look by its own filter finds."""
    async with Page(cookie, "page=tasks&state=FAILURE&name=rare") as page:
        await page.frame()
        old = timezone.now() - timedelta(days=2)
        await on_database(make_task)("rare", name="rare", state="FAILURE", first_seen=old)
        for _ in range(broadcaster_module.ROUNDS + 1):
            await announce(many=True)
        await page.until(lambda: page.shown("tasks") == ["rare"], "it had to be found")


async def test_a_consumer_that_starts_makes_every_page_read_anew(cookie):
    async with Page(cookie, "page=tasks") as page:
        await page.frame()
        await on_database(make_task)("unannounced")
        await announce(resync=True)
        await page.until(lambda: page.shown("tasks") == ["unannounced"], "it had to be found")


async def test_who_may_not_view_payloads_gets_neither_arguments_nor_messages(cookie):
    plain = await on_database(make_user)("plain", "view_task")
    plain_cookie = await on_database(cookie_of)(plain)
    await start("a", args="('topsecret-argument',)", progress_message="topsecret-message")
    async with Page(cookie) as all_of_it, Page(plain_cookie) as page:
        await all_of_it.frame()
        await page.frame()
        assert "topsecret-argument" in all_of_it.html("running", "a")
        assert "topsecret-message" in all_of_it.html("running", "a")
        assert "topsecret" not in str(page.frames)
        assert set(page.lists) == {"running", "finished"}, "workers need a permission of their own"


async def test_a_limited_user_gets_only_rows_of_their_own_and_no_figures(cookie, settings):
    limited = await on_database(make_user)("limited", *VIEWER_PERMISSIONS)
    limited_cookie = await on_database(cookie_of)(limited)
    await on_database(make_worker)()
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.live.test_pages.only_shop"}
    await start("a", name="shop.pay")
    await start("b", name="mail.send")
    async with Page(limited_cookie, "page=monitor") as page, Page(limited_cookie, "page=tasks") as tasks:
        frame = await page.frame()
        await tasks.frame()
        await announce("a", "b")
        await start("c", name="mail.send")
        await end("b")
        await announce(many=True, succeeded=5)
        await start("d", name="shop.pay")
        await announce("d")
        await page.until(lambda: "d" in page.shown("running"), "their own had to come")
        await tasks.until(lambda: "d" in tasks.shown("tasks"), "their own had to come")
    assert frame["counters"] is None
    assert frame["sparkline"] is None
    for each in (page, tasks):
        assert "mail.send" not in str(each.frames)
    assert "events/s" not in str(page.frames)


async def test_a_limited_user_is_not_told_how_much_happens(cookie, settings):
    """Neither after a pause nor upon coming back: most of it is about tasks of others."""
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.live.test_pages.only_shop"}
    await announce("b", "c")
    async with Page(cookie, "page=monitor&cursor=0") as page:
        assert (await page.frame())["missed"] == {"changes": None, "complete": False}
        await page.say("pause")
        await announce("b")
        while not await page.socket.receive_nothing(timeout=3):
            assert (await page.receive())["type"] != "paused"
        await page.say("resume")
        assert (await page.frame())["missed"] == {"changes": None, "complete": True}


async def test_a_page_gets_its_own_language(cookie):
    async with Page(cookie, "page=strip&lang=de") as german, Page(cookie, "page=strip&lang=klingon") as other:
        await german.frame()
        await other.frame()
    assert "Nothing received yet" in other.frames[0]["strip"]["html"]


async def test_rows_link_below_the_prefix_of_their_own_page(cookie):
    await start("a")
    page = Page(cookie)
    page.socket.scope["root_path"] = "/tools"
    page.socket.scope["path"] = "/tools/ws/monitoring/"
    async with page, Page(cookie) as plain:
        await page.frame()
        await plain.frame()
    assert 'href="/tools/admin/monitoring/task/a/change/"' in page.html("running", "a")
    assert 'href="/admin/monitoring/task/a/change/"' in plain.html("running", "a")


async def test_hostile_text_is_escaped(cookie):
    await start("<script>", name="<img src=x onerror=alert(1)>", args="('</script><b>',)", worker='"><i>')
    async with Page(cookie) as page:
        await page.frame()
    html = page.html("running", "<script>")
    for hostile in ("<script>", "<img", "<b>x", '"><i>'):
        assert hostile not in html


async def test_the_page_of_one_task_is_told_that_it_has_changed(cookie):
    await start("mine")
    await start("other")
    async with Page(cookie, "page=task&task=mine") as page:
        first = await page.frame()
        await announce("other")
        await end("mine")
        await page.until(lambda: page.frames[-1].get("task", {}).get("state") == "SUCCESS", "it had to end")
        assert first["task"]["version"] != page.frames[-1]["task"]["version"]
        told = [frame["task"]["version"] for frame in page.frames if "task" in frame]
        assert len(told) == len(set(told))


async def test_a_task_that_may_not_be_seen_has_no_page(cookie, settings):
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.live.test_pages.only_shop"}
    await start("b", name="mail.send")
    async with Page(cookie, "page=task&task=b") as page:
        assert (await page.frame())["task"] is None


async def test_workers_follow_what_upkeep_finds_out(cookie):
    worker = await on_database(make_worker)()
    async with Page(cookie, "page=workers") as page:
        await page.frame()
        assert "Online" in page.html("workers", worker.hostname)
        worker.online = False
        await on_database(worker.save)()
        await page.until(lambda: "Offline" in page.html("workers", worker.hostname), "it had to be offline")


async def test_a_paused_page_gets_no_frame_and_then_catches_up(cookie):
    async with Page(cookie) as page:
        await page.frame()
        await page.say("pause")
        await start("a")
        await announce("a")
        message = await page.receive()
        while message["type"] in ("frame", "heartbeat"):  # one that was on its way
            message = await page.receive()
        assert message == {"type": "paused", "changes": 1}
        assert await page.is_silent_for(1.5)
        await page.say("resume")
        await page.until(lambda: page.shown("running") == ["a"], "it had to catch up")
        assert page.frames[-1]["full"]
        assert page.frames[-1]["missed"] == {"changes": 1, "complete": True}


async def test_a_page_that_comes_back_learns_how_much_it_missed(cookie):
    await announce("a")
    async with Page(cookie) as page:
        cursor = (await page.frame())["cursor"]
    await start("b")
    await announce("b", "c")
    async with Page(cookie, f"page=monitor&cursor={cursor}") as page:
        frame = await page.frame()
    assert frame["missed"] == {"changes": 2, "complete": True}
    assert frame["full"]
    assert page.shown("running") == ["b"]


async def test_a_cursor_older_than_the_feed_is_told_so(cookie):
    await announce("a")
    async with Page(cookie, "page=monitor&cursor=0") as page:
        frame = await page.frame()
    assert frame["missed"] == {"changes": 1, "complete": False}
    assert frame["full"]


async def test_frames_are_at_least_a_second_apart_and_below_64_kb(cookie, monkeypatch):
    """Far more than a frame takes: a hundred long rows that all change all the time."""
    # When each was sent: a busy page may read two at once.
    times = []
    send = MonitoringSocket._send_text

    async def timed(socket, text):
        if json.loads(text)["type"] == "frame":
            times.append(time.monotonic())
        await send(socket, text)

    monkeypatch.setattr(MonitoringSocket, "_send_text", timed)
    long_name = "a" * 200
    for number in range(100):
        await on_database(make_task)(f"task-{number:03}", name=long_name, args=f"('{'&' * 230}',)")
    async with Page(cookie, "page=tasks") as page:
        for round_number in range(12):
            await on_database(Task.objects.update)(retries=round_number)
            await announce(many=True)
            await page.receive()
            await asyncio.sleep(0.1)
        await page.until(
            lambda: page.frames[-1].get("lists", {}).get("tasks", {}).get("pending") == 0, "all rows"
        )
        assert len(page.shown("tasks")) == 100
    assert page.frames[0]["lists"]["tasks"]["pending"] > 0
    assert max(page.sizes) <= MAX_BYTES
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.9


async def test_a_page_that_does_not_answer_is_skipped_forward(cookie):
    """Two frames are sent ahead; then nothing until it answers, and then one frame with everything since."""
    async with Page(cookie) as slow, Page(cookie) as quick:
        slow.answers = False
        await quick.frame()
        for number in range(8):
            await start(f"task-{number}", seconds=100 - number)
            await announce(f"task-{number}")
            await quick.until(
                lambda number=number: len(quick.shown("running")) == number + 1,
                "the quick one is not held up",
            )
        await slow.until(lambda: len(slow.frames) == 2, "two frames had to come")
        assert await slow.is_silent_for(1.5)
        await slow.say("ack", seq=slow.frames[-1]["seq"])
        await slow.until(lambda: len(slow.frames) == 3, "the third had to come")
        assert slow.shown("running") == quick.shown("running")


async def test_the_broadcaster_ends_with_the_last_page(cookie):
    async with Page(cookie) as page:
        await page.frame()
        running = broadcaster_module.broadcaster()
        assert running.is_running
    await asyncio.wait([running._task], timeout=60)
    assert not running.is_running
    assert broadcaster_module.broadcaster() is not running
    broadcaster_module.broadcaster().leave(None, object())


async def test_a_fault_in_one_audience_leaves_the_others_alone(cookie, monkeypatch):
    await start("a")
    from monitoring.live.lists import newest

    def fault(self):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(newest.NewestList, "_all", fault)
    async with Page(cookie, "page=tasks") as broken, Page(cookie) as page:
        assert await broken.close_code() == 1011
        await page.frame()
        assert page.shown("running") == ["a"]
