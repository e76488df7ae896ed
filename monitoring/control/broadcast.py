"""Commands to workers over Celery's remote control (pidbox), and what each worker answered.

Celery's own `app.control` publishes through the app's shared pool, restarts its timeout with each reply, and asks one
thing at a time. Here each call has a connection of its own and one deadline, and several questions share both.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import celery
import kombu
from django.utils.translation import gettext as _
from kombu.exceptions import ContentDisallowed, DecodeError

from ..celery_app import watched_app
from ..conf import monitoring_settings
from .connecting import BrokerUnavailable, control_connection, faults, lost, unreachable

#: Commands that are never sent: this one ends a worker that is alone with an IndexError (kombu/clocks.py).
NEVER = frozenset({"election"})


class Said(StrEnum):
    """How a worker answered a command."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    #: Nothing within the deadline. The effect may still come: the command waits for a worker that is busy or stopped.
    NOTHING = "no confirmation"


@dataclass(frozen=True)
class Answer:
    """What one worker said to one command.

    `value` is the whole reply as JSON has it, with nothing redacted; `words` are the worker's own where it refused or
    said ``ok``, and hostile text; `seconds` from sending to the answer, None without one.
    """

    said: Said
    value: Any = None
    words: str = ""
    seconds: float | None = None


#: By host name.
Answers = dict[str, Answer]


def broadcast(
    command: str,
    arguments: Mapping[str, Any] | None = None,
    destination: Sequence[str] | None = None,
    *,
    expected: Iterable[str] = (),
    timeout: float | None = None,
    app: celery.Celery | None = None,
) -> Answers:
    """Send one command to the workers of `destination`, or to all (None), and wait for their answers.

    Returns once every worker of `destination` and of `expected` has answered, at the latest after `timeout` seconds
    (``CONTROL_TIMEOUT``); each of them has an Answer, and so has any other that answered meanwhile. To all with nobody
    expected it takes the whole timeout: nobody knows who is there. Connecting may take as long again at most.

    Raises ControlUnavailable (BrokerUnavailable, TooManyCalls) where nothing was sent, SynchronousOnlyOperation on an
    event loop. Cost: 5 to 20 ms where workers are idle.
    """
    hosts = list(dict.fromkeys([*(destination or ()), *expected]))
    return _exchange([(command, arguments or {})], destination, hosts, timeout, app)[0]


def send(
    command: str,
    arguments: Mapping[str, Any] | None,
    destination: Sequence[str],
    *,
    timeout: float | None = None,
    app: celery.Celery | None = None,
) -> None:
    """Send one command that is never answered (``shutdown``) to workers. Raises as :func:`broadcast`."""
    if destination:
        _exchange([(command, arguments or {})], destination, (), timeout, app, reply=False)


def ask(
    commands: Iterable[str | tuple[str, Mapping[str, Any]]],
    destination: Sequence[str],
    *,
    timeout: float | None = None,
    app: celery.Celery | None = None,
) -> dict[str, Answers]:
    """Ask workers several things at once over one connection, with one deadline: answers by command, then by host.

    For reading: ``ask(["stats", "active_queues", ("registered", {"taskinfoitems": ["rate_limit"]})], ["celery@w1"])``.
    A worker without an answer to one command may have one to another. Raises as :func:`broadcast`.
    """
    questions = [(command, {}) if isinstance(command, str) else command for command in commands]
    hosts = list(dict.fromkeys(destination))
    answers = _exchange(questions, destination, hosts, timeout, app) if hosts and questions else []
    return {command: found for (command, _arguments), found in zip(questions, answers, strict=False)}


def _exchange(
    questions: Sequence[tuple[str, Mapping[str, Any]]],
    destination: Sequence[str] | None,
    expected: Sequence[str],
    timeout: float | None,
    app: celery.Celery | None,
    *,
    reply: bool = True,
) -> list[Answers]:
    """Send all questions, then collect; the answers to each, with NOTHING for who was expected and is missing."""
    for command, _arguments in questions:
        if command in NEVER:
            raise ValueError(f"{command} is never sent")
    if destination is not None and not destination:
        return [{} for _question in questions]  # an empty list would reach everybody
    app = app or watched_app()
    seconds = monitoring_settings.CONTROL_TIMEOUT if timeout is None else timeout
    with control_connection(app, seconds) as connection:
        try:
            call = _Call(app, connection, expected, len(questions))
        except faults(connection) as error:
            raise unreachable(error) from error
        try:
            call.send(questions, destination, seconds, reply=reply)
        except faults(connection) as error:
            raise lost(error) from error
        try:
            if reply:
                call.collect(time.monotonic() + seconds)
        except faults(connection):
            # Sent is sent: whose answer has not come is not confirmed, and says why.
            return call.answers(_("The connection to the broker was lost while the answer was awaited"))
    return call.answers()


class _Call:
    """One exchange on one connection: a reply queue, and a ticket for each question."""

    def __init__(
        self, app: Any, connection: kombu.Connection, expected: Sequence[str], questions: int
    ) -> None:
        self._app = app
        self._connection = connection
        self._expected = expected
        self._found: list[Answers] = [{} for _question in range(questions)]
        self._tickets = [str(uuid.uuid4()) for _question in range(questions)]
        self._mailbox = self._app.control.mailbox
        # Pickle runs what it is given. Workers understand JSON even where their tasks do not use it.
        self._accept = {kind for kind in app.conf.accept_content if "pickle" not in kind} | {"json"}
        serializer = str(app.conf.task_serializer)
        self._serializer = serializer if serializer in self._accept else "json"
        self._channel = connection.channel()
        self._sent = 0.0

    def send(
        self,
        questions: Sequence[tuple[str, Mapping[str, Any]]],
        destination: Sequence[str] | None,
        seconds: float,
        *,
        reply: bool,
    ) -> None:
        route = self._listen() if reply else None
        producer = kombu.Producer(self._channel, auto_declare=False, serializer=self._serializer)
        for (command, arguments), ticket in zip(questions, self._tickets, strict=True):
            message = {
                "method": command,
                "arguments": dict(arguments),
                "destination": None if destination is None else list(destination),
                "pattern": None,
                "matcher": None,
            }
            producer.publish(
                message | {"ticket": ticket, "reply_to": route} if route else message,
                exchange=self._mailbox.exchange.name,
                declare=[self._mailbox.exchange],
                headers={"clock": self._app.clock.forward(), "expires": time.time() + seconds},
                retry=False,
            )
        self._sent = time.monotonic()

    def _listen(self) -> dict[str, str]:
        """Declare the queue for replies; the way to it."""
        route = str(uuid.uuid4())
        exchange = self._mailbox.reply_exchange
        queue = self._mailbox.get_reply_queue()
        # A name that no earlier call had: an exclusive queue goes a moment after its connection.
        queue.name, queue.routing_key = f"{route}.{exchange.name}", route
        self._queue = queue(self._channel)
        self._queue.declare()
        return {"exchange": exchange.name, "routing_key": route}

    def collect(self, until: float) -> None:
        """Take replies until nobody is missing or the time has come."""
        consumer = kombu.Consumer(
            self._channel, [self._queue], accept=list(self._accept), no_ack=True, on_message=self._take
        )
        with consumer:
            while self._missing() and (left := until - time.monotonic()) > 0:
                try:
                    self._connection.drain_events(timeout=left)
                except TimeoutError:
                    break
        # Where a queue cannot delete itself (Redis), it is deleted here.
        self._channel.after_reply_message_received(self._queue.name)

    def answers(self, why_nothing: str = "") -> list[Answers]:
        nothing = Answer(Said.NOTHING, words=why_nothing)
        return [{**dict.fromkeys(self._expected, nothing), **found} for found in self._found]

    def _missing(self) -> bool:
        if not self._expected:
            return True
        return any(host not in found for found in self._found for host in self._expected)

    def _take(self, message: Any) -> None:
        self._app.clock.adjust(message.headers.get("clock") or 0)
        ticket = message.headers.get("ticket")
        if ticket not in self._tickets:
            return
        seconds = time.monotonic() - self._sent
        try:
            reply = message.decode()
        except (ContentDisallowed, DecodeError):
            return  # whose it is stands in the body that is not read
        if isinstance(reply, dict):
            found = self._found[self._tickets.index(ticket)]
            # Of two workers with one name the first answer stands.
            for host, value in reply.items():
                found.setdefault(host, _answer(value, seconds))


def _answer(value: Any, seconds: float) -> Answer:
    """A reply is what the command returned; an exception in it is ``{"error": its repr}``."""
    match value:
        case {"error": words} if len(value) == 1:
            return Answer(Said.REFUSED, value, str(words), seconds)
        case {"ok": words} if len(value) == 1:
            return Answer(Said.ACKNOWLEDGED, value, str(words), seconds)
        case _:
            return Answer(Said.ACKNOWLEDGED, value, "", seconds)


__all__ = ["NEVER", "Answer", "Answers", "BrokerUnavailable", "Said", "ask", "broadcast", "send"]
