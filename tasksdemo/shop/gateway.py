"""Client of the payment gateway. No network: the gateway's part is played over a pair of sockets."""

import io
import socket
from http.client import HTTPResponse
from typing import Any

from rest_framework.parsers import JSONParser

from tasksdemo.shop.pace import work

HOST = "api.paylane.example"
TIMEOUT = 1.0  # s

MAINTENANCE_PAGE = b"<!DOCTYPE html><title>504 Gateway Time-out</title>"


class GatewayError(Exception):
    """The gateway answered something that is no answer."""


class GatewayTimeout(Exception):
    """The gateway did not answer in time. Worth another attempt."""


class CardDeclined(Exception):
    """The bank said no. Another attempt would hear the same."""


def capture(amount: str, *, simulate: str = "") -> dict[str, Any]:
    """Take the money: {"captured": amount}.

    `simulate` is what goes wrong: "timeout", "declined", "broken", or nothing.
    Raises GatewayTimeout, CardDeclined, GatewayError.
    """
    if simulate == "timeout":
        try:
            _answer_of_silent_gateway()
        except TimeoutError as error:
            raise GatewayTimeout(f"no answer from {HOST}/v2/captures in {TIMEOUT:.1f} s") from error
    work(0.18, longest=TIMEOUT)
    if simulate == "declined":
        raise CardDeclined("insufficient_funds")
    if simulate == "broken":
        _parse(MAINTENANCE_PAGE)
    return {"captured": amount}


def _answer_of_silent_gateway() -> None:
    """Wait for a status line that never comes: TimeoutError from within http.client, as in real life."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(TIMEOUT)
        HTTPResponse(ours).begin()


def _parse(body: bytes) -> Any:
    try:
        return JSONParser().parse(io.BytesIO(body))
    except Exception as error:
        raise GatewayError(f"{HOST} answered with a web page of {len(body)} bytes") from error
