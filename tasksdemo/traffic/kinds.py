"""THE table of what the traffic sends: how often, made how, and what is revoked."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import chain
from celery.canvas import Signature

from tasksdemo.starts import ADDRESSES
from tasksdemo.tasks import mailing, media, messages, orders, outcomes, reports, retrying, search, slow
from tasksdemo.traffic import shoppers

Make = Callable[[random.Random], Signature[Any]]


@dataclass(frozen=True)
class Revoke:
    """Revoke the task so many seconds after sending it; `terminate` ends it where it runs (prefork only)."""

    after: float
    terminate: bool = False


@dataclass(frozen=True)
class Kind:
    """One thing that happens in the shop: `weight` of all weights' sum is how often."""

    weight: float
    make: Make
    revoke: Revoke | None = None


def failing_in(rng: random.Random, **chances: float) -> str:
    """Which of the faults (fault=chance) happens this time; "" for none."""
    draw = rng.random()
    for fault, chance in chances.items():
        if draw < chance:
            return fault
        draw -= chance
    return ""


def place_order(rng: random.Random, **chances: float) -> Signature[Any]:
    return orders.place_order.s(
        order_id=shoppers.order_id(rng),
        amount=shoppers.amount(rng),
        customer=shoppers.customer(rng),
        simulate=failing_in(rng, **chances),
    )


def order_while_the_gateway_answers(rng: random.Random) -> Signature[Any]:
    return place_order(rng, declined=0.03, hiccup=0.02, broken=0.005)


def order_while_the_gateway_is_silent(rng: random.Random) -> Signature[Any]:
    return place_order(rng, timeout=0.85, declined=0.02)


def send_email(rng: random.Random) -> Signature[Any]:
    fault = failing_in(rng, hiccup=0.03, disconnected=0.01)
    template = rng.choice(("order_shipped", "newsletter", "password_reset", "review_request"))
    return mailing.send_email.s(
        template, shoppers.email(rng), order_id=shoppers.order_id(rng), simulate=fault
    )


def make_thumbnail(rng: random.Random) -> Signature[Any]:
    size = rng.choice(("200x200", "800x800", "1600x1600"))
    fault = failing_in(rng, corrupt=0.03)
    return media.make_thumbnail.s(image_id=rng.randrange(550_000, 560_000), size=size, simulate=fault)


def sync_order(rng: random.Random) -> Signature[Any]:
    return orders.sync_order.s(shoppers.order_id(rng), simulate=failing_in(rng, deadlock=0.04, locked=0.01))


def reindex_product(rng: random.Random) -> Signature[Any]:
    return search.reindex_product.s(rng.randrange(5_000), simulate=failing_in(rng, refused=0.01))


def transcode_video(rng: random.Random) -> Signature[Any]:
    return media.transcode_video.s(video_id=rng.randrange(1_000), seconds=round(rng.uniform(8, 18), 1))


def export_sales(rng: random.Random) -> Signature[Any]:
    period = f"2026-{rng.randrange(1, 12):02d}"
    return reports.export_sales.s(period=period, simulate=failing_in(rng, stuck=0.05))


def photograph(rng: random.Random) -> Signature[Any]:
    """A chain of real work: one picture in three sizes, then its product's index entry."""
    image_id = rng.randrange(550_000, 560_000)
    sizes = ("1600x1600", "800x800", "200x200")
    return chain(
        *(media.make_thumbnail.si(image_id, size) for size in sizes), search.reindex_product.si(image_id)
    )


def reminder(rng: random.Random) -> Signature[Any]:
    mail = mailing.send_email.s("cart_reminder", shoppers.email(rng))
    return mail.set(countdown=rng.randrange(20, 90))


def message(rng: random.Random) -> Signature[Any]:
    return messages.create_message_task.s(message=f"Order {shoppers.order_id(rng)} was viewed")


def from_address(name: str) -> Make:
    """What `POST /tasks/<name>` starts without parameters."""
    address = ADDRESSES[name]

    def make(rng: random.Random) -> Signature[Any]:
        takes = address.takes(data={})
        takes.is_valid(raise_exception=True)
        return address.signature(**takes.validated_data).set(**address.options)

    return make


KINDS = {
    "order": Kind(18, order_while_the_gateway_answers),
    "email": Kind(18, send_email),
    "thumbnail": Kind(26, make_thumbnail),
    "sync": Kind(8, sync_order),
    "reindex": Kind(10, reindex_product),
    "message": Kind(5, message),
    "photograph": Kind(1.5, photograph),
    "transcode": Kind(2.5, transcode_video),
    "export": Kind(2, export_sales),
    "reminder": Kind(1.5, reminder),
    "slow": Kind(1.5, lambda rng: slow.slow_task.s(duration=rng.randrange(4, 10))),
    "chain": Kind(1, from_address("chain")),
    "group": Kind(1, from_address("group")),
    "chord": Kind(1.5, from_address("chord")),
    "progress": Kind(0.8, from_address("progress")),
    "fail": Kind(0.6, from_address("fail")),
    "retry": Kind(1, lambda rng: retrying.retry_task.s(succeed_after=rng.randrange(1, 4))),
    "give-up": Kind(0.5, from_address("give-up")),
    "unicode": Kind(0.6, from_address("unicode")),
    "hostile": Kind(0.4, from_address("hostile")),
    "secret": Kind(0.4, from_address("secret")),
    "large": Kind(0.4, from_address("large")),
    "reject": Kind(0.4, from_address("reject")),
    "expire": Kind(0.4, from_address("expire")),
    "recall": Kind(0.6, lambda rng: reminder(rng).set(countdown=12), Revoke(after=4)),
    "terminate": Kind(0.4, lambda rng: slow.slow_task.s(duration=30), Revoke(after=6, terminate=True)),
    "lose-worker": Kind(0.1, lambda rng: outcomes.lose_worker_task.s()),
}

# First of all one of each that is rare or takes long, so that no page is empty for want of luck.
OPENING = (
    *("order", "thumbnail", "email", "transcode", "export", "retry", "chord", "fail", "progress", "chain"),
    *(
        "recall",
        "group",
        "unicode",
        "give-up",
        "terminate",
        "photograph",
        "reject",
        "expire",
        "secret",
        "hostile",
    ),
    *("large", "slow", "reminder"),
)
