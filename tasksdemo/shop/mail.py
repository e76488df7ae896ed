"""Mail to customers. No network: the server's part is played over a pair of sockets."""

import smtplib
import socket
import zlib

from tasksdemo.shop.pace import work


def deliver(recipient: str, template: str, *, simulate: str = "") -> str:
    """Hand a mail to the server and return its id there.

    `simulate`: "disconnected" raises smtplib.SMTPServerDisconnected from within smtplib.
    """
    work(0.12, longest=3.0)
    if simulate == "disconnected":
        _speak_to_a_server_that_hangs_up()
    return f"{template}.{zlib.crc32(recipient.encode()):08x}@mail.shop.example"


def _speak_to_a_server_that_hangs_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.shutdown(socket.SHUT_WR)
        client = smtplib.SMTP()
        client.sock = ours
        client.docmd("MAIL", "FROM:<orders@shop.example>")
