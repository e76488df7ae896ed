"""What the tests of live pages share."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

#: How long anything may take on a machine that is busy with other things.
PATIENCE = 120


@pytest.fixture(
    params=[
        pytest.param(alias, marks=pytest.mark.django_db(transaction=True, databases=[alias]))
        for alias in ("default", "postgresql")
    ]
)
def using(request: pytest.FixtureRequest) -> str:
    """Alias of a database, each in turn; real transactions."""
    alias: str = request.param
    request.getfixturevalue("transactional_db")
    return alias


def until(what: Callable[[], object], why: str) -> None:
    """Return once `what` answers something true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, f"{why} within {PATIENCE} s"
        time.sleep(0.05)


async def eventually(what: Callable[[], Awaitable[object]], why: str) -> None:
    """Return once what `what` answers is something true."""
    deadline = time.monotonic() + PATIENCE
    while not await what():
        assert time.monotonic() < deadline, f"{why} within {PATIENCE} s"
        await asyncio.sleep(0.05)
