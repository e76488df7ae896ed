"""RabbitMQ through the API of its management plugin, which knows rates, unacknowledged messages and alarms.

https://www.rabbitmq.com/docs/management#http-api
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import kombu
from django.utils.translation import gettext as _

from ..ingest.fields import MAX_IDENTIFIER
from ..ingest.text import storable, storable_json
from .contract import BrokerAdapter, BrokerReading, BrokerUnavailable, QueueReading
from .rabbitmq import PassiveAdapter

#: Where the plugin listens unless told otherwise.
USUAL_PORT = 15672
#: Seconds for which an API that was only guessed at is not asked again after it did not answer.
SILENT_FOR = 300.0
#: Bytes of one answer that are read: some ten thousand queues.
MOST_BYTES = 32 * 1024 * 1024
_QUEUE_COLUMNS = (
    "name", "messages_ready", "messages_unacknowledged", "consumers", "arguments", "auto_delete", "exclusive", "policy",
    "type", "message_stats.publish_details.rate", "message_stats.deliver_get_details.rate",
    "message_stats.ack_details.rate",
)  # fmt: skip
#: Beginnings and ends of the names that Celery and kombu give to queues of their own.
_OWN_BEGINNINGS, _OWN_ENDS = ("celeryev", "celery_delayed_", "amq."), (".pidbox",)


#: By host, in this process.
_silent_until: dict[str, float] = {}


@dataclass(frozen=True)
class ManagementURL:
    """Where the API is; the credentials are not part of what is printed."""

    base: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    #: The host that it was derived from: then nobody said that there is an API, and none need be missed.
    derived_from: str = ""


def management_url(configured: str) -> ManagementURL | None:
    """From ``http://user:password@host:15672[/prefix][/api]``; None where nothing is configured.

    Raises ValueError, without the URL in it, where it is none.
    """
    if not configured:
        return None
    try:
        parts = urlsplit(configured)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("RABBITMQ_API_URL is not of the form http://user:password@host:15672")
    path = parts.path.rstrip("/").removesuffix("/api")
    named = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{named}{f':{port}' if port else ''}{path}/api"
    return ManagementURL(base, unquote(parts.username or "guest"), unquote(parts.password or "guest"))


def derived_url(connection: kombu.Connection) -> ManagementURL | None:
    """The plugin's usual address on the broker's own host, with the broker's own user; None where it was silent lately.

    Only where the connection to the broker is not encrypted either: the password would go over the wire in the clear.
    """
    host = str(connection.hostname or "localhost")
    if connection.ssl or _silent_until.get(host, 0.0) > time.monotonic():
        return None
    named = f"[{host}]" if ":" in host else host
    return ManagementURL(
        f"http://{named}:{USUAL_PORT}/api", connection.userid or "guest", connection.password or "guest", host
    )


class ManagementAdapter(BrokerAdapter):
    """Asks the API, and AMQP in its place while the API does not answer."""

    supports_listing = supports_unacked = supports_consumers = supports_rates = True

    def __init__(self, url: ManagementURL, vhost: str, passive: PassiveAdapter) -> None:
        super().__init__(passive.connect, passive.address)
        self._url, self._vhost, self._passive = url, vhost, passive

    def read(self, names: Collection[str], seconds: float) -> BrokerReading:
        """Cost: three requests, however many queues. What counts them is up to five seconds old."""
        until = time.monotonic() + seconds
        try:
            overview = self._get("overview", until)
            nodes = self._get("nodes", until)
            path = f"queues/{quote(self._vhost, safe='')}"
            listed = self._get(f"{path}?columns={','.join(_QUEUE_COLUMNS)}", until)
        except BrokerUnavailable as silent:
            if self._url.derived_from:
                _silent_until[self._url.derived_from] = time.monotonic() + SILENT_FOR
                return self._passive.read(names, seconds)
            return replace(self._passive.read(names, seconds), problem=str(silent))
        found = [_queue(row) for row in listed if isinstance(row.get("name"), str)]
        queues = {queue.name: queue for queue in found}
        missing = {name: QueueReading(name, exists=False) for name in names if name not in queues}
        return replace(_broker(overview, nodes), queues=queues | missing)

    def purge(self, name: str, seconds: float) -> int:
        return self._passive.purge(name, seconds)

    def _get(self, path: str, until: float) -> Any:
        """The answer, by the time `until`. No redirect is followed and no proxy used: they would see the password."""
        credentials = base64.b64encode(f"{self._url.user}:{self._url.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Accept": "application/json"}
        base = urlsplit(self._url.base)
        try:
            with _connected(base.scheme, base.hostname or "", base.port, until) as connection:
                connection.request("GET", f"{base.path}/{path}", headers=headers)
                answer = connection.getresponse()
                body = answer.read(MOST_BYTES + 1)
            if answer.status != 200:
                words = _("RabbitMQ's management API answered %(status)s") % {"status": answer.status}
                raise BrokerUnavailable(words)
            if len(body) > MOST_BYTES:
                raise BrokerUnavailable(_("The answer of RabbitMQ's management API is too long"))
            return json.loads(body)
        except (HTTPException, OSError, ValueError, RecursionError) as error:
            kind = TimeoutError if time.monotonic() >= until else type(error)
            words = _("RabbitMQ's management API cannot be reached (%(error)s)") % {"error": kind.__name__}
            raise BrokerUnavailable(words) from None


@contextmanager
def _connected(scheme: str, host: str, port: int | None, until: float) -> Iterator[HTTPConnection]:
    """A connection that is cut at the time `until`: its timeout is of each read alone, however little that brings.

    Certificates are verified, as Python does by default.
    """
    seconds = max(0.1, until - time.monotonic())
    connection = (HTTPSConnection if scheme == "https" else HTTPConnection)(host, port, timeout=seconds)
    try:
        connection.connect()
        timer = threading.Timer(max(0.1, until - time.monotonic()), _cut, (connection.sock,))
        timer.daemon = True
        timer.start()
        try:
            yield connection
        finally:
            timer.cancel()
    finally:
        connection.close()


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of a socket with TLS, which forgets the TLS that somebody else reads with.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _queue(row: Mapping[str, Any]) -> QueueReading:
    # RabbitMQ takes any text for a name or an argument, NUL included, which no PostgreSQL stores.
    name, stats = storable(row["name"], MAX_IDENTIFIER), row.get("message_stats") or {}
    own = name.startswith(_OWN_BEGINNINGS) or name.endswith(_OWN_ENDS)
    arguments = dict(row.get("arguments") or {})
    if row.get("policy"):
        arguments["policy"] = row["policy"]
    if row.get("type"):
        arguments.setdefault("x-queue-type", row["type"])
    return QueueReading(
        name,
        ready=row.get("messages_ready"),
        unacked=row.get("messages_unacknowledged"),
        consumers=row.get("consumers"),
        publish_rate=_rate(stats, "publish_details"),
        deliver_rate=_rate(stats, "deliver_get_details"),
        ack_rate=_rate(stats, "ack_details"),
        settings=storable_json(arguments, MAX_IDENTIFIER),
        is_internal=own or bool(row.get("exclusive")) or bool(row.get("auto_delete")),
    )


def _rate(stats: Mapping[str, Any], name: str) -> float:
    # A queue through which nothing has passed yet has no statistics at all.
    rate = (stats.get(name) or {}).get("rate")
    return float(rate) if isinstance(rate, int | float) else 0.0


def _broker(overview: Mapping[str, Any], nodes: list[Mapping[str, Any]]) -> BrokerReading:
    totals = overview.get("object_totals") or {}
    running = [node for node in nodes if node.get("running")]
    alarms = []
    for node in nodes:
        name = node.get("name", "?")
        if not node.get("running"):
            alarms.append(_("node %(node)s is down") % {"node": name})
        if node.get("mem_alarm"):
            alarms.append(_("memory alarm on %(node)s: publishers are blocked") % {"node": name})
        if node.get("disk_free_alarm"):
            alarms.append(_("disk alarm on %(node)s: publishers are blocked") % {"node": name})
    return BrokerReading(
        "RabbitMQ",
        str(overview.get("rabbitmq_version") or ""),
        connections=totals.get("connections"),
        channels=totals.get("channels"),
        memory_used=_sum(running, "mem_used"),
        memory_limit=_sum(running, "mem_limit"),
        disk_free=min(
            (node["disk_free"] for node in running if _is_size(node.get("disk_free"))), default=None
        ),
        alarms=tuple(alarms),
    )


def _sum(nodes: list[Mapping[str, Any]], name: str) -> int | None:
    sizes = [node[name] for node in nodes if _is_size(node.get(name))]
    return sum(sizes) if sizes else None


def _is_size(value: Any) -> bool:
    return isinstance(value, int)
