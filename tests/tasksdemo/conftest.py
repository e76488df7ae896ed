"""One running demo for all the tests that only start tasks in it."""

import secrets
import shutil
from collections.abc import Iterator

import pytest

from tests.conftest import rabbitmqctl
from tests.services import found
from tests.services.required import require
from tests.tasksdemo.shop import Shop, open_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The demo on a virtual host of its own: workers of other tests must not take its tasks."""
    require(found.rabbitmq() and shutil.which("rabbitmqctl"), "RabbitMQ")
    vhost = f"test-shop-{secrets.token_hex(4)}"
    rabbitmqctl("add_vhost", vhost)
    try:
        rabbitmqctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        with open_shop(f"{found.RABBITMQ_URL}/{vhost}", tmp_path_factory.mktemp("shop")) as running:
            yield running
    finally:
        rabbitmqctl("delete_vhost", vhost)
