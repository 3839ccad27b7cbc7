"""Wake-ups through Apple's push service: ours against httpx, both over HTTP/2 with the pass certificate, one server."""

import asyncio
import shutil
import ssl
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx

from app.core.outbound import Answer, Identity, Outbound
from app.fakes.apns import FakeApns
from app.fakes.wallet_chain import WalletChain, loopback_certificate, wallet_chain
from app.wallet import apns
from tests.bench.run import Figure

WAKES = 3000  # of one round of ours
FEWER = 300  # of one round of the slower peer
ROUNDS = 5
BATCH = 500  # as `wallet.wake` takes them
AT_ONCE = 64  # requests in flight, for both
SECONDS = 60
SERVER = Path(__file__).with_name("apns_server.mjs")


@dataclass(frozen=True)
class Server:
    """Where wake-ups are taken, and what it takes to speak to it."""

    name: str
    base: str
    root: bytes
    chain: WalletChain


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Serve with node where it is there, since it is the faster server; else with the demo's own fake."""
    chain = wallet_chain(folder / "chain")
    node = shutil.which("node")
    if node is None:
        with FakeApns(chain.wwdr + chain.root) as fake:
            yield Server("FakeApns", next(iter(fake.mapping.values())), fake.root, chain)
        return
    root, pem = loopback_certificate()
    (folder / "server.pem").write_bytes(pem)
    (folder / "ca.pem").write_bytes(chain.wwdr + chain.root)
    command = [node, str(SERVER), str(folder / "server.pem"), str(folder / "ca.pem")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        yield Server("node", f"https://127.0.0.1:{port}", root, chain)
        process.stdin.close()
        process.wait(10)


def bench() -> list[Figure]:
    """Measure both in turn, several times; the ratio is that of neighbors in time."""
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as server:
        ours = _ours(server)
        pairs = [(_rate(ours, WAKES), _rate(lambda count: asyncio.run(_httpx(server, Path(name), count)), FEWER))
                 for _round in range(ROUNDS)]  # fmt: skip
    rates = [statistics.median(side) for side in zip(*pairs, strict=True)]
    what = f"wake-ups over HTTP/2 with a client certificate, to {server.name}"
    return [
        Figure(what, "leima", rates[0], "wake-ups/s", ROUNDS),
        Figure(what, f"httpx {version('httpx')}", rates[1], "wake-ups/s", ROUNDS),
        Figure(what, "leima / httpx", statistics.median(a / b for a, b in pairs), "ratio", ROUNDS, at_least=10),
    ]


def _rate(send: Callable[[int], None], count: int) -> float:
    begin = time.perf_counter()
    send(count)
    return count / (time.perf_counter() - begin)


def _ours(server: Server) -> Callable[[int], None]:
    chain = server.chain
    identity = Identity(chain.certificate + chain.wwdr, chain.key)
    outbound = Outbound(allowed=["api.push.apple.com"], mapping={apns.ORIGIN: server.base}, roots=[server.root])

    def send(count: int) -> None:
        for start in range(0, count, BATCH):
            tokens = [f"{number:064x}" for number in range(start, min(start + BATCH, count))]
            wakes = [apns.wake_up(token, chain.pass_type_id, identity) for token in tokens]
            answers = outbound.request_many(wakes, seconds=SECONDS)
            assert all(isinstance(answer, Answer) and answer.status == 200 for answer in answers)

    send(BATCH)  # the connection is made once and kept
    return send


async def _httpx(server: Server, folder: Path, count: int) -> None:
    """Send as httpx's own documentation shows: one client, HTTP/2, a certificate, requests side by side."""
    context = _context(server, folder)
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(http2=True, verify=context, timeout=SECONDS) as client:

        async def one(number: int) -> int:
            async with places:
                headers = {"apns-topic": server.chain.pass_type_id}
                answer = await client.post(f"{server.base}/3/device/{number:064x}", content=b"{}", headers=headers)
                return answer.status_code

        statuses = await asyncio.gather(*(one(number) for number in range(count)))
    assert set(statuses) == {200}


def _context(server: Server, folder: Path) -> ssl.SSLContext:
    pem = folder / "client.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(server.chain.key + server.chain.certificate + server.chain.wwdr)
    context = ssl.create_default_context(cadata=server.root.decode())
    context.load_cert_chain(pem)
    return context
