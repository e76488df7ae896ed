"""Redis, Valkey and Sentinel, as kombu keeps queues there: a list for each priority, and a hash of what workers have.

kombu/transport/redis.py: ``_q_for_pri``, ``QoS.append``; message format: kombu/transport/virtual/base.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from itertools import count
from typing import Any

import kombu
from django.utils.translation import gettext as _

from ..control.connecting import broken_off, faults, unreachable
from ..ingest.fields import MAX_IDENTIFIER
from ..ingest.text import storable
from .contract import BrokerAdapter, BrokerReading, PeekedMessage, QueueReading

#: Messages that workers have, up to which they are told apart by queue.
MOST_UNACKED = 2_000
#: Messages, or fields of a hash, that are asked for at once.
_PAGE = 500


class TooManyMessages(Exception):
    """There was not time to look at all that wait."""


class RedisAdapter(BrokerAdapter):
    supports_unacked = supports_peek = supports_remove = True

    def read(self, names: Collection[str], seconds: float) -> BrokerReading:
        """Cost: INFO, a pipeline of one LLEN and LINDEX for each queue and priority, and the hash of unacknowledged
        messages where it has at most MOST_UNACKED."""
        with self.connect(seconds) as connection:
            try:
                lists = _Lists(connection)
                info = lists.client.info()
                unacked, all_unacked = lists.unacked(names)
                found = lists.lengths(names)
            except faults(connection) as error:
                raise unreachable(error) from error
        queues = {
            name: QueueReading(
                name,
                ready=found[name][0],
                unacked=unacked.get(name, 0) if unacked is not None else None,
                next_task_id=found[name][1],
            )
            for name in names
        }
        words = _("%(count)s messages are with workers: too many to be told apart by queue")
        problem = "" if unacked is not None else words % {"count": all_unacked}
        maximum = int(info.get("maxmemory") or 0)
        return BrokerReading(
            "Valkey" if "valkey_version" in info or info.get("server_name") == "valkey" else "Redis",
            str(info.get("valkey_version") or info.get("redis_version") or ""),
            connections=info.get("connected_clients"),
            memory_used=info.get("used_memory"),
            memory_limit=maximum or None,
            alarms=_alarms(info),
            problem=problem,
            queues=queues,
        )

    def purge(self, name: str, seconds: float) -> int:
        with self.connect(seconds) as connection:
            try:
                channel: Any = connection.default_channel
                return int(channel._purge(name))
            except faults(connection) as error:
                raise broken_off(connection, error) from error

    def peek(self, name: str, most: int, seconds: float) -> list[PeekedMessage]:
        """Cost: at most `most` messages of each priority, whole, though only their headers are kept."""
        found: list[PeekedMessage] = []
        with self.connect(seconds) as connection:
            try:
                lists = _Lists(connection)
                for priority, key in lists.keys(name):
                    following = lists.next_messages(key, most - len(found))
                    found += [_peeked(raw, priority) for raw in following]
            except faults(connection) as error:
                raise unreachable(error) from error
        return found

    def remove(self, name: str, task_id: str, seconds: float) -> bool | None:
        """Cost: all messages that wait, whole, as far as there is time, and LREM of the one that is found."""
        with self.connect(seconds) as connection:
            until = time.monotonic() + seconds
            while True:
                try:
                    lists = _Lists(connection)
                    found = lists.find(name, task_id, until)
                except TooManyMessages:
                    return None
                except faults(connection) as error:
                    raise unreachable(error) from error
                if found is None:
                    return False
                try:
                    if lists.client.execute_command("LREM", found[0], -1, found[1]):
                        return True
                except faults(connection) as error:
                    raise broken_off(connection, error) from error
                # A worker has taken it meanwhile. What it puts back is another text: it says that it was.


class _Lists:
    """The keys of one connection, with its prefix."""

    def __init__(self, connection: kombu.Connection) -> None:
        channel: Any = connection.default_channel
        self._channel, self.client = channel, channel.client
        self._prefix: str = getattr(self._channel, "global_keyprefix", "") or ""

    def keys(self, name: str) -> list[tuple[int, str]]:
        """Priority and whole key of each list of a queue, in the order in which they are emptied.

        kombu's client adds the prefix to some commands by itself, LRANGE, LINDEX and LREM not among them.
        """
        steps = self._channel.priority_steps
        return [(step, self._prefix + self._channel._q_for_pri(name, step)) for step in steps]

    def lengths(self, names: Collection[str]) -> dict[str, tuple[int, str]]:
        """How many wait, and the id of the task that comes next."""
        with self.client.pipeline(transaction=False) as pipeline:
            for name in names:
                for step, key in self.keys(name):
                    # This one does add the prefix.
                    pipeline.llen(self._channel._q_for_pri(name, step))
                    pipeline.execute_command("LINDEX", key, -1)
            answers = iter(pipeline.execute(raise_on_error=False))
        found = {}
        for name in names:
            total, following = 0, ""
            for _step, _key in self.keys(name):
                length, last = next(answers), next(answers)
                total += length if isinstance(length, int) else 0
                if not following and isinstance(last, bytes | str):
                    following = _text(_headers(last).get("id"))
            found[name] = (total, following)
        return found

    def unacked(self, names: Collection[str]) -> tuple[dict[str, int] | None, int]:
        """How many messages workers have, by queue (None: too many to be told apart), and in all."""
        key = self._channel.unacked_key
        total = int(self.client.hlen(key))
        if total > MOST_UNACKED:
            return None, total
        held: dict[bytes | str, bytes | str] = {}
        cursor: Any = 0
        while True:
            # It may give a field twice while the server rehashes.
            cursor, rows = self.client.execute_command("HSCAN", self._prefix + key, cursor, "COUNT", _PAGE)
            held |= rows if isinstance(rows, dict) else dict(zip(rows[::2], rows[1::2], strict=True))
            if int(cursor) == 0:
                break
        counts: dict[str, int] = {}
        for value in held.values():
            for queue in self._queues_of(value, names):
                counts[queue] = counts.get(queue, 0) + 1
        return counts, total

    def _queues_of(self, value: bytes | str, names: Collection[str]) -> list[str]:
        try:
            _raw, exchange, routing_key = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            return []
        if not (isinstance(exchange, str | None) and isinstance(routing_key, str)):
            return []
        if not exchange:
            return [routing_key]
        found = self._channel.typeof(exchange).lookup(
            self._channel.get_table(exchange), exchange, routing_key, None
        )
        return [queue for queue in found if queue] or [name for name in names if name == routing_key]

    def next_messages(self, key: str, most: int) -> list[bytes]:
        """The right end is delivered first."""
        found = self.client.execute_command("LRANGE", key, -most, -1) if most > 0 else []
        return list(reversed(found))

    def find(self, name: str, task_id: str, until: float) -> tuple[str, bytes] | None:
        """Key and text of the message of a task. Raises TooManyMessages at the time `until`."""
        for _priority, key in self.keys(name):
            for page in self._pages(key):
                for raw in page:
                    if _headers(raw).get("id") == task_id:
                        return key, raw
                if time.monotonic() >= until:
                    raise TooManyMessages
        return None

    def _pages(self, key: str) -> Iterator[list[bytes]]:
        """What is delivered next, which is what people have seen; then everything, from the left.

        Counted from there a message never moves to where it was looked already, whatever workers take or put back, and
        whatever is sent meanwhile.
        """
        yield self.next_messages(key, _PAGE)
        for start in count(0, _PAGE):
            page = self.client.execute_command("LRANGE", key, start, start + _PAGE - 1)
            yield page
            if len(page) < _PAGE:
                return


def _headers(raw: bytes | str) -> dict[str, Any]:
    """Of a message as kombu stores it; none of what is no such message. Arguments, in its body, are left alone."""
    try:
        headers = json.loads(raw).get("headers")
    except (ValueError, AttributeError, RecursionError):
        return {}
    return headers if isinstance(headers, dict) else {}


def _text(said: Any) -> str:
    """An id or a name as events of the same task are stored: anybody can put anything into a list."""
    return storable(str(said or ""), MAX_IDENTIFIER)


def _peeked(raw: bytes | str, priority: int) -> PeekedMessage:
    headers = _headers(raw)
    return PeekedMessage(_text(headers.get("id")), _text(headers.get("task")), priority)


def _alarms(info: dict[str, Any]) -> tuple[str, ...]:
    found = []
    maximum, used = int(info.get("maxmemory") or 0), int(info.get("used_memory") or 0)
    policy = str(info.get("maxmemory_policy") or "noeviction")
    if maximum and used > 0.9 * maximum:
        found.append(_("memory is over 90 % of maxmemory"))
    if maximum and policy != "noeviction":
        found.append(
            _("maxmemory-policy is %(policy)s: messages may be evicted; noeviction keeps them")
            % {"policy": policy}
        )
    if int(info.get("evicted_keys") or 0):
        found.append(_("%(count)s keys were evicted since it started") % {"count": info["evicted_keys"]})
    return tuple(found)
