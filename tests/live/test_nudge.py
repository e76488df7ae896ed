"""Nudges reach a listener through Redis; a layer that is down, or missing, holds nobody up."""

import asyncio
import threading
import time

import pytest

from monitoring.live import nudge as nudge_module
from monitoring.live.layer import crossing_layer
from monitoring.live.listener import Listener
from monitoring.live.nudge import Nudger
from tests.live.conftest import PATIENCE, eventually, until
from tests.services import found


def layers(url: str, backend: str = "channels_redis.pubsub.RedisPubSubChannelLayer") -> dict[str, object]:
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [url], "prefix": f"test-{time.time_ns()}"}}}


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
