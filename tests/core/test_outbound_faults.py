"""What a slow, silent or broken service can do to a request, and whether it may have been sent."""

import socket
import threading
import time

import pytest

from app.core.outbound import AnswerLost, NotReachable, Outbound

ORIGIN = "https://push.example.com"


def test_answer_that_comes_in_drops_is_read_whole() -> None:
    outbound, thread = _raw_server([b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", b"ab", b"cd", b"ef"], pause=0.05)

    assert outbound.request("GET", f"{ORIGIN}/").body == b"abcdef"

    outbound.close()
    thread.join()


def test_service_that_falls_silent_is_given_up_in_time_as_maybe_sent() -> None:
    outbound, thread = _raw_server([b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", b"ab"], pause=1.2)
    started = time.monotonic()

    with pytest.raises(AnswerLost) as error:
        outbound.request("GET", f"{ORIGIN}/", seconds=0.4)

    assert error.value.sent
    assert time.monotonic() - started < 1.1
    outbound.close()
    thread.join()


def test_service_that_hangs_up_is_maybe_sent() -> None:
    outbound, thread = _raw_server([b"HTTP/1.1 20"], pause=0)

    with pytest.raises(AnswerLost):
        outbound.request("POST", f"{ORIGIN}/", {}, b"x")

    outbound.close()
    thread.join()


def test_service_that_takes_no_connection_in_time_is_not_told_apart_from_a_lost_answer() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        outbound = Outbound(allowed=["push.example.com"], mapping={ORIGIN: f"http://127.0.0.1:{port}"})

        with pytest.raises(AnswerLost):  # rather one doubt too many than one message too many
            outbound.request("GET", f"{ORIGIN}/", seconds=0.3)

        outbound.close()
        for one in waiting:
            one.close()


def test_service_that_is_down_is_not_reachable_and_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outbound = Outbound(allowed=["push.example.com"], mapping={ORIGIN: f"http://127.0.0.1:{port}"})

    with pytest.raises(NotReachable) as error:
        outbound.request("GET", f"{ORIGIN}/")

    assert error.value.sent is False
    outbound.close()


def _raw_server(pieces: list[bytes], *, pause: float) -> tuple[Outbound, threading.Thread]:
    """One connection that is answered with these bytes, one after the other, and then closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65_536)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)

    thread = threading.Thread(target=serve)
    thread.start()
    mapping = {ORIGIN: f"http://127.0.0.1:{listener.getsockname()[1]}"}
    return Outbound(allowed=["push.example.com"], mapping=mapping), thread
