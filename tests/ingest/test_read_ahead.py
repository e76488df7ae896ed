"""Reading ahead gives the bytes that the socket has, in their order, however they come and whatever is asked for."""

from collections.abc import Callable

import amqp.transport
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.sources.read_ahead import SIZE, ReadAhead, read_ahead


def socket_of(pieces: list[bytes]) -> Callable[[int], bytes]:
    """A socket's `recv` that has `pieces` arrive one after the other, and then the end."""
    waiting = list(pieces)

    def receive(size: int) -> bytes:
        if not waiting:
            return b""
        piece = waiting.pop(0)
        if len(piece) > size:
            waiting.insert(0, piece[size:])
        return piece[:size]

    return receive


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=20),
    st.lists(st.sampled_from([1, 7, 13, SIZE - 1, SIZE, SIZE + 1]), min_size=1),
)
def test_no_byte_is_lost_or_moved(pieces: list[bytes], sizes: list[int]) -> None:
    read = ReadAhead(socket_of(pieces))
    taken = b""
    for turn in range(2_000):
        size = sizes[turn % len(sizes)]
        piece = read(size)
        assert len(piece) <= size
        if not piece:
            break
        taken += piece
    assert taken == b"".join(pieces)
    assert read(1) == b""


def test_more_than_is_read_ahead_is_asked_of_the_socket_itself() -> None:
    asked: list[int] = []

    def receive(size: int) -> bytes:
        asked.append(size)
        return b"x" * size

    assert len(ReadAhead(receive)(3 * SIZE)) == 3 * SIZE
    assert asked == [3 * SIZE]


def test_the_transports_of_the_installed_amqp_read_through_it() -> None:
    transport = amqp.transport.TCPTransport("localhost")
    read_frames = b"\x01\x00\x00\x00\x00\x00\x02ab\xce" * 3
    calls: list[int] = []
    receive = socket_of([read_frames])

    def counted(size: int) -> bytes:
        calls.append(size)
        return receive(size)

    transport._quick_recv = counted
    assert read_ahead(transport)
    assert [transport.read_frame() for _ in range(3)] == [(1, 0, b"ab")] * 3
    assert calls == [SIZE]


def test_a_transport_that_reads_otherwise_is_left_alone() -> None:
    assert not read_ahead(object())
