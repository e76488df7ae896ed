"""Nudges reach a listener through Redis; a layer that is down, or missing, holds nobody up."""

import asyncio
import threading
import time

import pytest

from monitoring.live import listener as listener_module
from monitoring.live import nudge as nudge_module
from monitoring.live.layer import GROUP, NUDGE, crossing_layer
from monitoring.live.listener import Listener
from monitoring.live.nudge import Nudger
from tests.live.conftest import PATIENCE, eventually, until
from tests.services import found


def layers(
    host: str | dict[str, object], backend: str = "channels_redis.pubsub.RedisPubSubChannelLayer"
) -> dict[str, object]:
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [host], "prefix": f"test-{time.time_ns()}"}}}


@pytest.mark.parametrize(
    "backend", ["channels_redis.pubsub.RedisPubSubChannelLayer", "channels_redis.core.RedisChannelLayer"]
)
async def test_a_nudge_in_one_thread_is_heard_in_another(settings, redis_url, backend):
    settings.CHANNEL_LAYERS = layers(redis_url, backend)
    heard: list[float] = []
    listener = Listener(crossing_layer(), lambda: heard.append(time.monotonic()))
    listening = asyncio.create_task(listener.run())
    nudger = Nudger(crossing_layer())
    nudger.start()
    try:
        await eventually(_true(lambda: listener.is_listening), "it had to join")

        async def nudged() -> bool:
            nudger.nudge()
            await asyncio.sleep(0.05)
            return bool(heard)

        await eventually(nudged, "it had to hear")
    finally:
        nudger.stop()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await crossing_layer().flush()


def _true(what):
    async def answer() -> bool:
        return bool(what())

    return answer


class Stuck:
    """A layer that does not answer before it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    async def group_send(self, group, message):
        self.asked.set()
        while not self.may_answer.is_set():
            await asyncio.sleep(0.01)


def test_a_layer_that_does_not_answer_never_holds_up_who_nudges(monkeypatch):
    layer = Stuck()
    with monkeypatch.context() as patched:
        # Who waited for the layer would wait for ever.
        patched.setattr(nudge_module, "PATIENCE", 3_600)
        nudger = Nudger(layer)
        nudger.start()
        nudger.nudge()
        until(layer.asked.is_set, "the layer had to be asked")
        for _ in range(1_000):
            nudger.nudge()
        layer.may_answer.set()
        nudger.stop()
    assert not nudger.is_alive()


def test_a_layer_that_does_not_answer_is_given_up():
    layer = Stuck()
    nudger = Nudger(layer)
    nudger.start()
    nudger.nudge()
    until(layer.asked.is_set, "the layer had to be asked")
    nudger.stop()
    nudger.join(PATIENCE)
    assert not nudger.is_alive()


async def test_without_redis_there_is_no_listening_and_no_exception(settings):
    settings.CHANNEL_LAYERS = layers(f"redis://127.0.0.1:{found.free_port()}")
    listener = Listener(crossing_layer(), lambda: None)
    listening = asyncio.create_task(listener.run())
    await asyncio.sleep(0.5)
    assert not listening.done()
    assert not listener.is_listening
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await crossing_layer().flush()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("monitoring")]


class Odd:
    """A layer that is as odd as `receive` says."""

    def __init__(self, receive) -> None:
        self.joined: list[str] = []
        self.left: list[str] = []
        self._receive = receive

    async def new_channel(self):
        return f"channel-{len(self.joined)}"

    async def group_add(self, group, channel):
        self.joined.append(channel)

    async def group_discard(self, group, channel):
        self.left.append(channel)

    async def receive(self, channel):
        return await self._receive()


async def fails_when_cancelled():
    try:
        await asyncio.sleep(PATIENCE)
    except asyncio.CancelledError:
        raise ConnectionError("closed by the cancellation") from None


async def answers_when_cancelled():
    try:
        await asyncio.sleep(PATIENCE)
    except asyncio.CancelledError:
        return {}


@pytest.mark.parametrize("receive", [fails_when_cancelled, answers_when_cancelled])
async def test_a_listener_ends_when_it_is_cancelled_whatever_the_layer_makes_of_that(receive):
    layer = Odd(receive)
    listener = Listener(layer, lambda: None)
    listening = asyncio.create_task(listener.run())
    await eventually(_true(lambda: listener.is_listening), "it had to join")
    await asyncio.sleep(0)
    listening.cancel()
    done, _pending = await asyncio.wait([listening], timeout=PATIENCE / 4)
    assert done, "it had to end"
    assert listening.cancelled()
    assert layer.left == layer.joined == ["channel-0"]
    assert not listener.is_listening


async def test_a_layer_that_waits_in_vain_is_joined_anew_under_the_same_name_and_without_a_word(
    monkeypatch, caplog
):
    async def in_vain():
        await asyncio.sleep(0.02)
        raise TimeoutError

    monkeypatch.setattr(listener_module, "WAITED", 0.01)
    layer = Odd(in_vain)
    listener = Listener(layer, lambda: None)
    listening = asyncio.create_task(listener.run())
    await eventually(_true(lambda: len(layer.joined) > 3), "it had to join again")
    assert listener.is_listening
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert set(layer.joined) == {"channel-0"}
    assert said(caplog) == []


async def test_a_layer_that_fails_at_once_is_left_in_peace_for_a_while(caplog):
    async def fails():
        raise ConnectionError

    layer = Odd(fails)
    listening = asyncio.create_task(Listener(layer, lambda: None).run())
    await eventually(_true(lambda: said(caplog)), "it had to say so")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert layer.joined == ["channel-0"]
    assert "No nudges" in caplog.text


async def test_the_group_is_joined_anew_before_the_layer_forgets_its_members(monkeypatch):
    async def nothing_comes():
        await asyncio.sleep(PATIENCE)

    monkeypatch.setattr(listener_module, "STAYS", 0.02)
    monkeypatch.setattr(listener_module, "WAITED", 0.01)
    layer = Odd(nothing_comes)
    listening = asyncio.create_task(Listener(layer, lambda: None).run())
    await eventually(_true(lambda: len(layer.joined) > 3), "it had to join again")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert set(layer.joined) == {"channel-0"}


async def test_a_client_of_redis_that_gives_up_waiting_costs_no_nudges(
    settings, redis_url, monkeypatch, caplog
):
    """By itself it waits five seconds for an answer, and channels_redis five for a message."""
    settings.CHANNEL_LAYERS = layers(
        {"address": redis_url, "socket_timeout": 0.4}, "channels_redis.core.RedisChannelLayer"
    )
    monkeypatch.setattr(listener_module, "WAITED", 0.2)
    heard: list[float] = []
    layer = crossing_layer()
    listening = asyncio.create_task(Listener(layer, lambda: heard.append(time.monotonic())).run())
    await asyncio.sleep(2)

    async def nudged() -> bool:
        await layer.group_send(GROUP, NUDGE)
        return bool(heard)

    await eventually(nudged, "it had to hear")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert said(caplog) == []
    await layer.flush()


@pytest.mark.parametrize(
    "configured",
    [
        {},
        {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
        {"default": {"BACKEND": "no.such.Layer"}},
    ],
)
def test_a_layer_that_stays_within_its_process_or_is_missing_is_none(settings, configured):
    settings.CHANNEL_LAYERS = configured
    assert crossing_layer() is None
