"""Redis or Valkey where the watched app uses ``monitoring.celery.DurableEvents``: an acknowledged list."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from monitoring.ingest.sources.contract import EventSource, OnMessage
from monitoring.ingest.sources.envelopes import message_in

#: Seconds without a sign of life after which what a consumer held is delivered to another one.
LIFE = 60
#: Seconds between two signs of life.
SIGN = 1.0
#: Messages and bytes that are taken at once at most; one message may be larger.
TAKE, TAKE_BYTES = 50, 1_000_000
#: Acknowledgements in one command.
_ACKNOWLEDGE = 1_000

# A message goes from the list to what its consumer holds in one step: between two it would be nowhere, and be lost with
# a consumer that is killed there. kombu's own way has two.
#
# KEYS: the list; a hash of what is held, by tag; a sorted set of these tags by the time they were taken; and one of
# consumers by their last sign of life, all of which are on the server's clock.
# ARGV: the consumer; a number of this call, which no other of its calls has; messages and bytes to take; the time now;
# seconds without a sign of life after which a consumer is dead.
# Returns a list: tag, message, and 1 where it was given to somebody before.
_TAKE = """
local list, held, taken, consumers = unpack(KEYS)
local me, call, count, bytes, now, life = unpack(ARGV)
count, bytes, life = tonumber(count), tonumber(bytes), tonumber(life)
local seconds = tonumber(redis.call('TIME')[1])
redis.call('ZADD', consumers, seconds, me)

local answer, size = {}, 0
local function give(tag, message, before)
  table.insert(answer, tag)
  table.insert(answer, message)
  table.insert(answer, before)
  size = size + #message
end
local function is_enough() return #answer >= 3 * count or size >= bytes end
local function next_tag() return me .. ':' .. call .. ':' .. #answer / 3 end

-- The answer to this very call was lost on its way, and it is made again.
local message = redis.call('HGET', held, next_tag())
while message do
  give(next_tag(), message, 1)
  message = redis.call('HGET', held, next_tag())
end
if #answer > 0 then return answer end

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', consumers, '-inf', '(' .. seconds - life)) do
  local entries, left = redis.call('ZRANGE', taken, 0, -1, 'WITHSCORES'), false
  for i = 1, #entries, 2 do
    if entries[i]:sub(1, #dead + 1) == dead .. ':' then
      if is_enough() then
        left = true
        break
      end
      local message, tag = redis.call('HGET', held, entries[i]), next_tag()
      redis.call('HDEL', held, entries[i])
      redis.call('ZREM', taken, entries[i])
      if message then
        redis.call('HSET', held, tag, message)
        redis.call('ZADD', taken, entries[i + 1], tag)
        give(tag, message, 1)
      end
    end
  end
  if not left then redis.call('ZREM', consumers, dead) end
end

while not is_enough() do
  local message = redis.call('RPOP', list)
  if not message then break end
  local tag = next_tag()
  redis.call('HSET', held, tag, message)
  redis.call('ZADD', taken, now, tag)
  give(tag, message, 0)
end
return answer
"""


class RedisListSource(EventSource):
    """Reads the list that every process of the watched app publishes to, in addition to publish/subscribe."""

    is_durable = True
    patience = "socket_timeout"

    def declare(self) -> None:
        import redis

        # kombu's own client knows the prefix of some commands only, so it is put before the keys here.
        self._client: Any = redis.Redis(connection_pool=self.channel.pool)
        self._list = f"{self.channel.global_keyprefix}{self.options.queue}"
        self._held = f"{self._list}.unacked"
        self._taken = f"{self._list}.unacked_index"
        self._consumers = f"{self._list}.consumers"
        self._take = self._client.register_script(_TAKE)
        self._name = secrets.token_hex(8)
        self._calls = self._holds = 0
        self._answers = True

    def consume(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self._give(0)

    def read(self, timeout: float) -> bool:
        self._answers = False
        has_come = self._read(timeout)
        self._answers = True
        return has_come

    def _read(self, timeout: float) -> bool:
        room = min(TAKE, self.options.prefetch - self._holds)
        if room <= 0:
            time.sleep(timeout)
            return False
        if self._give(room):
            return True
        # The oldest message is put where it is: this waits for one, and takes none.
        if timeout <= 0 or self._client.blmove(self._list, self._list, timeout, "RIGHT", "RIGHT") is None:
            return False
        return self._give(room)

    def read_more(self, is_enough: Callable[[], bool]) -> None:
        """Nothing: one read takes what has come already."""

    def _give(self, count: int) -> bool:
        """Take up to `count` messages, and what is dead consumers' before others; whether there were any."""
        self._calls += 1
        self._signed_at = time.monotonic()
        answer = self._take(
            [self._list, self._held, self._taken, self._consumers],
            [self._name, self._calls, count, TAKE_BYTES, time.time(), LIFE],
        )
        for tag, body, before in zip(*[iter(answer)] * 3, strict=True):
            self._holds += 1
            message = message_in(body, self.channel)
            message.delivery_tag = tag.decode()
            if before:
                message.delivery_info["redelivered"] = True
            self._on_message(message)
        return bool(answer)

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        for begin in range(0, len(delivery_tags), _ACKNOWLEDGE):
            tags = delivery_tags[begin : begin + _ACKNOWLEDGE]
            with self._client.pipeline() as pipe:
                pipe.hdel(self._held, *tags).zrem(self._taken, *tags).execute()
        self._holds -= len(delivery_tags)

    def waiting(self) -> int:
        return int(self._client.llen(self._list))

    def is_empty(self) -> bool:
        # What a consumer held that was killed comes again.
        return not self.waiting() and int(self._client.hlen(self._held)) <= self._holds

    def settled_until(self, moment: datetime) -> datetime:
        # What another consumer holds, or held when it was killed, is in no list until it is delivered again.
        oldest: Any = self._client.zrange(self._taken, 0, 0, withscores=True)
        return min(moment, datetime.fromtimestamp(oldest[0][1], UTC)) if oldest else moment

    def keep_alive(self) -> None:
        if time.monotonic() - self._signed_at >= SIGN:
            self._give(0)

    def close(self) -> None:
        # What is held comes again at once, to whoever is there. A server that is silent would only be waited for.
        if self.channel is not None and self._answers:
            with suppress(Exception):
                self._client.zadd(self._consumers, {self._name: 0})
        super().close()
