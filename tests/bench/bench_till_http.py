"""Tills over HTTP: 30 requests a second, by the clock, to the service as it runs, with its worker, on SQLite.

Each sale is a scan and, a moment later, the purchase that names it. What was due and left late is counted from when it
was due, so that a server that stops is not asked less. The floor is the least that such a request can cost with the
same server: one row on the disk, and nothing decided.
"""

import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.core import clock
from tests.bench.open_loop import CLIENTS, Client, drive
from tests.bench.pairs import opened
from tests.bench.run import Figure
from tests.bench.world import Sale, World, build, check
from tests.kill.harness import ROOT, environment

RATE = 30  # requests a second
SECONDS = 60
FLOOR_SECONDS = 20
WARM_UP = 3  # seconds before: the server compiles its statements
BETWEEN = 1.5 / RATE  # seconds from a scan to its purchase: in the middle between two scans
STARTS_WITHIN = 60  # seconds


def bench() -> list[Figure]:
    """Measure the service, then the floor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'leima.db'}"
        with opened(url) as database:
            world = build(database)
        leima = [str(Path(sys.executable).with_name("leima")), "run"]
        ours = _measure(leima, world, SECONDS, environment(url, folder) | {"LEIMA_LOG_LEVEL": "INFO"})
        with opened(url) as database:
            check(database, world)
        floor = [sys.executable, str(Path(__file__).with_name("floor.py")), "PORT", str(folder / "floor.db")]
        least = _measure(floor, world, FLOOR_SECONDS, {})
    return [*_figures("leima", ours, at_most=50), *_figures("Flask, waitress and one row", least), _ratio(ours, least)]


def _measure(command: Sequence[str], world: World, seconds: int, settings: dict[str, str]) -> list[Client]:
    """Start a server, warm it up, and return the clients with what they waited for."""
    with _served(command, settings) as port:
        for name, length in (("warm", WARM_UP), ("run", seconds)):
            headers = {"Authorization": f"Bearer {world.key}", "Content-Type": "application/json"}
            clients = [Client(port, headers) for _ in range(CLIENTS)]
            sales = world.sales(length * RATE // 2, seed=len(name))
            tasks = [partial(_sell, world, sale, f"{name}-{number}") for number, sale in enumerate(sales)]
            drive(clients, tasks, every=2 / RATE)
    return clients


def _sell(world: World, sale: Sale, name: str, client: Client, due: float) -> None:
    code = world.codes[world.members.index(sale.member)]
    scan = client.post("/api/v1/scans", {"text": code}, f"s-{name}", due=due)
    now = clock.now().isoformat()
    body = {"scan": scan.get("scan", ""), "receipt": name, "occurred_at": now, "total_cents": sale.cents}
    client.post("/api/v1/purchases", body, f"p-{name}", due=due + BETWEEN)


@contextmanager
def _served(command: Sequence[str], settings: dict[str, str]) -> Iterator[int]:
    """Run a server process on a free port; in the command, the word PORT stands for it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = [word.replace("PORT", str(port)) for word in command]
    process = subprocess.Popen(
        words, env=settings | {"LEIMA_PORT": str(port)}, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _figures(who: str, clients: Sequence[Client], *, at_most: float | None = None) -> Iterator[Figure]:
    waits = [wait * 1000 for client in clients for wait in client.waits]
    faults = [fault for client in clients for fault in client.faults]
    what = f"a till's request at {RATE}/s"
    yield Figure(f"{what}, median", who, statistics.median(waits), "ms", len(waits))
    yield Figure(f"{what}, p95", who, _quantile(waits, 95), "ms", len(waits), at_most=at_most)
    yield Figure(f"{what}, p99", who, _quantile(waits, 99), "ms", len(waits))
    yield Figure(f"{what}, errors", who, len(faults), "requests", len(waits), at_most=0)
    for fault in random.sample(faults, min(3, len(faults))):
        print(f"  {who}: {fault}")


def _quantile(waits: list[float], percent: int) -> float:
    return statistics.quantiles(waits, n=100)[percent - 1]


def _ratio(ours: Sequence[Client], least: Sequence[Client]) -> Figure:
    both = [statistics.median(wait for client in side for wait in client.waits) for side in (ours, least)]
    return Figure(f"a till's request at {RATE}/s, median", "leima / the floor", both[0] / both[1], "ratio", 1)
