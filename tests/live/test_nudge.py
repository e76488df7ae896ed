"""Nudges reach a listener through Redis; a layer that is down, or missing, holds nobody up."""

import asyncio
import time

import pytest

from monitoring.live.layer import crossing_layer
from monitoring.live.listener import Listener
from monitoring.live.nudge import PATIENCE as NUDGE_PATIENCE
from monitoring.live.nudge import Nudger
from tests.live.conftest import eventually
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


def test_a_layer_that_does_not_answer_never_holds_up_who_nudges():
    class Stuck:
        async def group_send(self, group, message):
            await asyncio.sleep(3_600)

    nudger = Nudger(Stuck())
    nudger.start()
    begun = time.monotonic()
    for _ in range(1_000):
        nudger.nudge()
    nudging = time.monotonic() - begun
    nudger.stop()
    nudger.join(60)
    assert not nudger.is_alive()
    assert nudging < NUDGE_PATIENCE


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
