"""The only way out: what is refused, what is pinned, and what a broken or greedy service can do to us."""

import asyncio
import ipaddress
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pyreqwest.exceptions import ConnectError

from app.core.outbound import NotResolved, Outbound, Outgoing, pinned
from app.core.targets import AddressRefused
from app.fakes.loopback import LoopbackServer, Reply, Request
from tests.certificates import self_signed

ORIGIN = "https://push.example.com"


class Echo(LoopbackServer):
    """Remembers what came and answers by path."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        match request.path.strip("/"):
            case "redirect":
                return Reply(302, headers={"Location": f"{self.base_url}/secret"})
            case "long":
                return Reply(200, b"x" * 1_000_000)
            case "zipped":
                return Reply(200, b"\x1f\x8b\x08 not really", {"Content-Encoding": "gzip"})
            case "slow":
                time.sleep(0.6)
        return Reply(201, request.path.encode(), {"Location": "https://push.example.com/m/1", "X-Some": "Thing"})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


@pytest.fixture
def out(echo: Echo) -> Iterator[Outbound]:
    outbound = Outbound(allowed=["push.example.com", "other.example"], mapping={ORIGIN: echo.base_url})
    yield outbound
    outbound.close()


def test_name_without_an_address_is_not_resolved_and_may_be_tried_again() -> None:
    answers = [OSError("no such name"), ["93.184.216.34"]]

    def look_up(host: str) -> Sequence[str]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    outbound = Outbound(allowed=["push.example.com"], look_up=look_up)

    with pytest.raises(NotResolved) as error:
        outbound.check_endpoint("https://push.example.com/")
    outbound.check_endpoint("https://push.example.com/")

    assert error.value.sent is False
    outbound.close()


def test_batch_to_one_host_looks_its_name_up_once() -> None:
    asked: list[str] = []

    def look_up(host: str) -> Sequence[str]:
        asked.append(host)
        return ["10.0.0.1"] if len(asked) > 1 else ["192.168.0.1"]

    outbound = Outbound(allowed=["push.example.com"], look_up=look_up)
    results = outbound.request_many([Outgoing("POST", "https://push.example.com/x")] * 20)

    assert all(isinstance(one, AddressRefused) for one in results)
    assert len(asked) == 1
    outbound.close()


def test_request_reaches_the_fake_with_the_name_that_was_asked_for(out: Outbound, echo: Echo) -> None:
    answer = out.request("POST", f"{ORIGIN}/push/1?a=b", {"TTL": "60", "Topic": "card"}, b"body")

    assert (answer.status, answer.body, answer.headers["x-some"]) == (201, b"/push/1?a=b", "Thing")
    (seen,) = echo.seen
    assert (seen.method, seen.body, seen.headers["ttl"], seen.headers["topic"]) == ("POST", b"body", "60", "card")
    assert seen.headers["host"] == "push.example.com"
    assert "cookie" not in seen.headers
    assert "referer" not in seen.headers


def test_redirect_is_an_answer_and_is_not_followed(out: Outbound, echo: Echo) -> None:
    assert out.request("GET", f"{ORIGIN}/redirect").status == 302
    assert [seen.path for seen in echo.seen] == ["/redirect"]


def test_long_answer_is_cut_at_the_cap_and_says_so(out: Outbound) -> None:
    usual, asked = out.request("GET", f"{ORIGIN}/long"), out.request("GET", f"{ORIGIN}/long", limit=10)

    assert (len(usual.body), usual.truncated) == (4096, True)
    assert (len(asked.body), asked.truncated) == (10, True)


def test_answer_is_not_unpacked(out: Outbound) -> None:
    assert out.request("GET", f"{ORIGIN}/zipped").body.startswith(b"\x1f\x8b")


def test_header_with_a_line_break_is_refused(out: Outbound, echo: Echo) -> None:
    with pytest.raises(AddressRefused):
        out.request("POST", f"{ORIGIN}/x", {"Topic": "a\r\nX-Evil: 1"}, b"x")

    assert echo.seen == []


def test_batch_keeps_its_order_and_one_failure_spoils_no_other(out: Outbound) -> None:
    urls = [f"{ORIGIN}/{number}" for number in range(100)]
    urls[40] = "https://evil.example/x"

    answers = out.request_many([Outgoing("POST", url, {}, b"x") for url in urls])

    assert isinstance(answers.pop(40), AddressRefused)
    paths = [answer.body.decode() for answer in answers if not isinstance(answer, Exception)]
    assert paths == [f"/{number}" for number in range(100) if number != 40]


def test_batch_is_sent_side_by_side(out: Outbound) -> None:
    started = time.monotonic()

    answers = out.request_many([Outgoing("GET", f"{ORIGIN}/slow")] * 10)

    assert len(answers) == 10
    assert time.monotonic() - started < 4  # one after the other takes 6


def test_way_out_can_be_used_from_many_threads_and_after_it_was_closed(out: Outbound) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(out.request("GET", f"{ORIGIN}/").status)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    out.close()
    out.close()

    assert statuses == [201] * 8
    assert out.request("GET", f"{ORIGIN}/").status == 201


@pytest.mark.parametrize(
    ("origin", "base"),
    [
        (ORIGIN, "http://10.0.0.1:80"),
        (ORIGIN, "http://localhost.evil.example:80"),
        (ORIGIN, "http://127.0.0.1.evil.example:80"),
        (ORIGIN, "http://127.0.0.1@evil.example:80"),
        ("http://push.example.com", "http://127.0.0.1:80"),
        ("https://push.example.com/path", "http://127.0.0.1:80"),
    ],
)
def test_map_that_leads_anywhere_but_to_loopback_is_refused(origin: str, base: str) -> None:
    with pytest.raises(ValueError, match="://"):
        Outbound(allowed=["push.example.com"], mapping={origin: base})


def test_request_says_nothing_personal_when_it_is_printed() -> None:
    shown = repr(Outgoing("POST", f"{ORIGIN}/secret-token", {"Authorization": "Bearer key"}, b"to: +358401234567"))

    assert not any(secret in shown for secret in ("secret-token", "Bearer", "358401234567"))


async def _get(url: str, host: str, address: str, root: bytes) -> int:
    client = pinned(host, ipaddress.ip_address(address), roots=[root])
    try:
        return (await client.get(url).build().send()).status
    finally:
        await client.close()


def test_pinned_client_connects_to_the_checked_address_and_still_wants_the_certificate_of_the_name(
    tmp_path: Path,
) -> None:
    root, context = self_signed("push.example.com", tmp_path)
    with Echo() as echo:
        assert echo._server is not None
        echo._server.socket = context.wrap_socket(echo._server.socket, server_side=True)
        port = echo._server.server_address[1]

        # No resolver knows the name: only the pin can have led there.
        assert asyncio.run(_get(f"https://push.example.com:{port}/x", "push.example.com", "127.0.0.1", root)) == 201
        with pytest.raises(ConnectError):
            asyncio.run(_get(f"https://other.example.com:{port}/x", "other.example.com", "127.0.0.1", root))

    assert [seen.headers["host"] for seen in echo.seen] == [f"push.example.com:{port}"]
