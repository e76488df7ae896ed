"""Without a broker, or with one that is silent, the demo API says so soon; it neither hangs nor shows a traceback."""

import socket
import time

import pytest

from tests.services.found import HOST, free_port

# Ours are 2 s to connect and 5 s of silence; Redis' own is for ever.
PATIENCE = 60

REQUESTS = [
    ("post", "/tasks/?message=hello"),
    ("post", "/tasks/slow"),
    ("post", "/tasks/chain"),
    ("post", "/tasks/group"),
    ("post", "/tasks/chord"),
    ("post", "/tasks/revoke"),
    ("get", "/tasks/"),
]


@pytest.fixture
def silent_port():
    """A port whose server takes connections and says nothing."""
    with socket.create_server((HOST, 0), backlog=100) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def broker(monkeypatch):
    """Set the broker of this process (celery/app/utils.py reads it at each connection)."""
    return lambda url: monkeypatch.setenv("CELERY_BROKER_WRITE_URL", url)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("url", ["amqp://shop:open-sesame@{}//", "redis://:open-sesame@{}/0"])
def test_a_broker_that_is_down_is_a_503_that_keeps_the_password(client, broker, url, method, path):
    broker(url.format(f"{HOST}:{free_port()}"))

    response = getattr(client, method)(path)

    assert response.status_code == 503
    assert "refused" in response.json()["detail"]
    assert "open-sesame" not in response.content.decode()


@pytest.mark.parametrize(("method", "path"), [REQUESTS[1], REQUESTS[-1]])
@pytest.mark.parametrize("url", ["amqp://guest:guest@{}//", "redis://{}/0"])
def test_a_broker_that_is_silent_is_a_503_in_bounded_time(client, broker, silent_port, url, method, path):
    broker(url.format(f"{HOST}:{silent_port}"))
    start = time.monotonic()

    response = getattr(client, method)(path)

    assert response.status_code == 503
    assert response.json()["detail"]
    assert time.monotonic() - start < PATIENCE
