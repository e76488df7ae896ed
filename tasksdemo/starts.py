"""THE table of the demo API: which address starts what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celery import chain, chord, group
from celery.canvas import Signature
from rest_framework.serializers import Serializer

from tasksdemo import inputs
from tasksdemo.tasks import (
    canvas,
    failing,
    hostile,
    large,
    messages,
    outcomes,
    progressing,
    retrying,
    secret,
    slow,
)
from tasksdemo.tasks.unicode import japanese_task

Start = Callable[..., Signature[Any]]


@dataclass(frozen=True)
class Address:
    """`POST /tasks/<name>`: what it takes, the signature it makes of that, and whether it is revoked at once."""

    takes: type[Serializer[Any]]
    signature: Start
    options: dict[str, Any] = field(default_factory=dict)
    revoke: bool = False


def _chain(size: int) -> Signature[Any]:
    """0 + 1 + 2 + ... + size, one after the other."""
    return chain(canvas.add_task.s(0, 1), *(canvas.add_task.s(number) for number in range(2, size + 1)))


def _group(size: int) -> Signature[Any]:
    """0 + 0, 1 + 1, ... side by side."""
    return group(canvas.add_task.s(number, number) for number in range(size))


def _chord(size: int) -> Signature[Any]:
    """The same, and then their sum."""
    return chord(_group(size), canvas.sum_task.s())


CREATE_MESSAGE = Address(inputs.MessageInput, messages.create_message_task.s)

ADDRESSES = {
    "slow": Address(inputs.SlowInput, slow.slow_task.s),
    "fail": Address(inputs.Nothing, failing.fail_task.s),
    "retry": Address(inputs.RetryInput, retrying.retry_task.s),
    "give-up": Address(inputs.Nothing, retrying.give_up_task.s),
    "progress": Address(inputs.ProgressInput, progressing.progress_task.s),
    "chain": Address(inputs.SizeInput, _chain),
    "group": Address(inputs.SizeInput, _group),
    "chord": Address(inputs.SizeInput, _chord),
    "countdown": Address(
        inputs.DelayedMessageInput,
        lambda message, countdown: messages.create_message_task.s(message=message).set(countdown=countdown),
    ),
    "large": Address(inputs.RowsInput, large.large_result_task.s),
    "long-text": Address(inputs.CharactersInput, large.long_text_task.s),
    "unicode": Address(inputs.Nothing, lambda: japanese_task.s("夜の図書館", שלום="עולם", e="e\u0301 🏳️‍🌈")),
    "hostile": Address(
        inputs.FailsInput, lambda fails: hostile.hostile_task.s(*hostile.TEXTS, fail=fails, nul=hostile.NUL)
    ),
    "secret": Address(
        inputs.FailsInput,
        lambda fails: secret.secret_task.s(
            "marta",
            password="correct-horse-battery",  # noqa: S106 - made up, to be redacted
            headers={"Authorization": "Bearer eyJhbGciOi.demo.token"},
            card={"number": "4111111111111111", "cvv": "123"},
            fail=fails,
        ),
    ),
    "reject": Address(inputs.Nothing, outcomes.reject_task.s),
    "ignore": Address(inputs.Nothing, outcomes.ignore_task.s),
    "lose-worker": Address(inputs.Nothing, outcomes.lose_worker_task.s),
    # Revoked and expired when their time comes: a worker says so no sooner. They expire in the worker's hands, not
    # in the queue, where RabbitMQ would drop them without a word.
    "revoke": Address(inputs.Nothing, slow.slow_task.s, {"countdown": 3}, revoke=True),
    "expire": Address(inputs.Nothing, slow.slow_task.s, {"countdown": 3, "expires": 2}),
}
