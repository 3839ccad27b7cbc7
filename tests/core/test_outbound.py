"""The only way out: what is refused, what is pinned, and what a broken or greedy service can do to us."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyreqwest.exceptions import ConnectError

from app.core.outbound import AnswerLost, NotReachable, NotResolved, Outbound, Outgoing, pinned
from app.core.targets import AddressRefused, is_public
from app.fakes.loopback import LoopbackServer, Reply, Request

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


def to(*addresses: str) -> Outbound:
    return Outbound(allowed=["push.example.com"], look_up=lambda host: addresses)


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.com/x",
        "https://push.example.com:8443/x",
        "https://push.example.com:0443/x",
        "https://user@push.example.com/x",
        "https://user:secret@push.example.com/x",
        "https://push.example.com@evil.example/x",
        "https://evil.example\\@push.example.com/x",
        "https://push.example.com#@evil.example/",
        "https://push.example.com./x",
        "https://evilpush.example.com.evil.example/x",
        "https://evil-push.example.com/x",
        "https://xpush.example.com/x",
        "https://example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://push.example.com/a b",
        "https://push.example.com/\r\nHost: evil.example",
        "https://push.example.com/x\n",
        " https://push.example.com/x",
        "https://push.example.com/é",
        "https://puſh.example.com/",
        "https://push.example.com/" + "x" * 2048,
        "//push.example.com/x",
        "ftp://push.example.com/x",
        "",
    ],
)
def test_address_that_is_not_a_plain_allowed_one_is_refused_and_nothing_is_sent(
    out: Outbound, echo: Echo, url: str
) -> None:
    with pytest.raises(AddressRefused):
        out.check_endpoint(url)
    with pytest.raises(AddressRefused):
        out.request("POST", url, {}, b"x")

    assert echo.seen == []


@pytest.mark.parametrize(
    "url",
    ["https://push.example.com", "HTTPS://PUSH.Example.com:443/a?b=c", "https://eu.web.push.example.com/w/%20~!$"],
)
def test_allowed_host_and_names_under_it_pass_the_check_when_they_lead_to_the_public_network(url: str) -> None:
    outbound = to("93.184.216.34", "2606:2800:220:1::1")

    outbound.check_endpoint(url)

    outbound.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - refused
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.216.34",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001:0:1::1",
        "2001:db8::1",
    ],
)
def test_address_that_is_not_public_is_refused_also_beside_a_public_one(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    for addresses in ([address], ["93.184.216.34", address]):
        outbound = to(*addresses)
        with pytest.raises(AddressRefused):
            outbound.check_endpoint("https://push.example.com/x")
        with pytest.raises(AddressRefused):
            outbound.request("GET", "https://push.example.com/x")
        outbound.close()


def test_public_addresses_are_public() -> None:
    assert all(is_public(ipaddress.ip_address(one)) for one in ("8.8.8.8", "142.250.74.106", "2a00:1450:400f::200a"))


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
    root, context = _certificate("push.example.com", tmp_path)
    with Echo() as echo:
        assert echo._server is not None
        echo._server.socket = context.wrap_socket(echo._server.socket, server_side=True)
        port = echo._server.server_address[1]

        # No resolver knows the name: only the pin can have led there.
        assert asyncio.run(_get(f"https://push.example.com:{port}/x", "push.example.com", "127.0.0.1", root)) == 201
        with pytest.raises(ConnectError):
            asyncio.run(_get(f"https://other.example.com:{port}/x", "other.example.com", "127.0.0.1", root))

    assert [seen.headers["host"] for seen in echo.seen] == [f"push.example.com:{port}"]


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


def _certificate(host: str, folder: Path) -> tuple[bytes, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return pem, context
