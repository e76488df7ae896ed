"""A plain Daphne in front of an ASGI application, as in production."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from tests.services.found import HOST

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 120


class Site:
    """Sends requests to the server; answers the response with its body read into `text`."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, **headers: str) -> HTTPResponse:
        """GET without following redirects."""
        connection = HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request(
                "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )
            response = connection.getresponse()
            response.text = "" if response.status == 101 else response.read().decode()
            return response
        finally:
            connection.close()

    def socket(self, path: str, origin: str | None = "same") -> int:
        """The status of a websocket handshake: 101 is success."""
        headers = (
            {} if origin is None else {"Origin": f"http://{HOST}:{self.port}" if origin == "same" else origin}
        )
        return self.get(
            path,
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
            **headers,
        ).status


@contextmanager
def daphne(application: str, folder: Path, **environment: str) -> Iterator[Site]:
    """Serve `application` ("module:name") on a port that the system picks, with a SQLite database in `folder`."""
    patience = ["--websocket_connect_timeout", "60"]
    command = [sys.executable, "-m", "daphne", "-b", HOST, "-p", "0", *patience, application]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        **environment,
    }
    log = folder / "daphne.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (listening := re.search(rf"Listening on TCP address {HOST}:(\d+)\n", log.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text())
            time.sleep(0.1)
        yield Site(int(listening[1]))
    finally:
        process.terminate()
        process.wait(60)
