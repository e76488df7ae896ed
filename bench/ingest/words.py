"""What a web shop's tasks are called and say: arguments, results, tracebacks of realistic lengths. Pure."""

from __future__ import annotations

import json
from random import Random

WORKERS = tuple(f"celery@worker-{number}.shop.internal" for number in range(1, 9))
CLIENT = "gen4121@web-1.shop.internal"
QUEUES = ("default", "mail", "reports", "media")

#: Task names with the queue that each goes to.
TASKS = tuple(
    (f"shop.{name}", QUEUES[index % len(QUEUES)])
    for index, name in enumerate(
        (
            "orders.tasks.place_order", "mail.tasks.send_confirmation", "reports.tasks.daily_revenue",
            "media.tasks.resize_image", "orders.tasks.reserve_stock", "mail.tasks.send_newsletter",
            "reports.tasks.export_invoices", "media.tasks.transcode_video", "payments.tasks.capture",
            "mail.tasks.deliver_digest", "reports.tasks.rebuild_index", "media.tasks.make_thumbnail",
            "orders.tasks.ship_parcel", "mail.tasks.forward_reply", "search.tasks.index_product",
            "media.tasks.scan_upload", "customers.tasks.merge_accounts", "mail.tasks.retry_bounces",
            "stock.tasks.sync_warehouse", "media.tasks.clean_cache",
        )
    )
)  # fmt: skip

#: Of all tasks, the part that fails.
FAILING = 0.03

_EXCEPTIONS = (
    "ConnectionError('HTTPSConnectionPool(host=\\'api.carrier.example\\', port=443): Max retries exceeded')",
    "KeyError('shipping_address')",
    "IntegrityError('duplicate key value violates unique constraint \"orders_order_number_key\"')",
    "ValueError('could not convert string to float: \\'12,50\\'')",
)
_FRAME = '  File "/srv/shop/{path}.py", line {line}, in {function}\n    {source}\n'
_FUNCTIONS = (
    "trace_task",
    "__protected_call__",
    "handle",
    "process",
    "perform",
    "fetch",
    "request",
    "send",
    "decode",
)


def arguments(random: Random) -> str:
    """The repr of positional arguments, 20 to 120 characters."""
    return f"({random.randrange(10**6, 10**9)}, 'SO-{random.randrange(10**8):08d}', {random.choice(_TAILS)})"


_TAILS = (
    "datetime.date(2026, 11, 22)",
    "'customer@shop.example', True",
    "None",
    "['A-1001', 'A-1002', 'B-2040'], Decimal('129.90')",
)


def keywords(random: Random) -> str:
    """The repr of keyword arguments, 60 to 260 characters."""
    text = (
        f"{{'customer_id': {random.randrange(10**7)}, 'locale': '{random.choice(('en', 'de', 'fr'))}', "
        f"'items': {random.randrange(1, 40)}, 'priority': {random.random() < 0.1}"
    )
    if random.random() < 0.5:
        text += (
            f", 'callback': 'https://shop.example/hooks/{random.randrange(16**12):012x}', "
            f"'requested_by': 'user-{random.randrange(10**5)}', 'tags': ['spring', 'vip', 'export']"
        )
    return text + "}"


def result(random: Random) -> str:
    """The repr of a result: often None, else a small dict."""
    if random.random() < 0.4:
        return "None"
    return f"{{'status': 'done', 'rows': {random.randrange(10**5)}, 'reference': '{random.randrange(16**16):016x}'}}"


def failure(random: Random) -> tuple[str, str]:
    """The repr of an exception and its traceback, 800 to 2,500 characters."""
    exception = random.choice(_EXCEPTIONS)
    frames = [
        _FRAME.format(
            path=f"{random.choice(('orders', 'mail', 'media', 'lib/http', 'lib/db'))}/{function}",
            line=random.randrange(10, 900),
            function=function,
            source=f"return self.{function}(order, *args, timeout=self.timeout, **kwargs)",
        )
        for function in random.choices(_FUNCTIONS, k=random.randrange(5, 14))
    ]
    kind, _, message = exception.partition("(")
    return exception, f"Traceback (most recent call last):\n{''.join(frames)}{kind}: {message.rstrip(')')}\n"


def encoded(text: str) -> str:
    """JSON, ready to stand in a template that is filled by the ``%`` operator."""
    return json.dumps(text).replace("%", "%%")
