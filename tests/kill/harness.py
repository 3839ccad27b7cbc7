"""Clients that stamp and retry with their keys, a server that is killed under them, and what stands in the end."""

import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select

from app.core import clock
from app.core.db import Database, brand_of
from app.ledger.models import Account, LedgerEntry, Purchase
from app.members import lookup
from app.network import tills
from app.network.models import Answer
from app.rewards.models import Coupon
from tests.builders import a_brand, a_member
from tests.commands import environment_of
from tests.shop import a_shop, faults

CLIENTS = 5
PATIENCE = 30  # seconds that a client goes on retrying one purchase
ROOT = Path(__file__).parents[2]


@dataclass
class Place:
    """A brand with a till and two members whose cards are stamped."""

    database: Database
    brand_id: int
    key: str
    codes: list[str]


def a_place(database: Database) -> Place:
    """Build it."""
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session, cents=400, size=10)
        members = [shop.member, a_member(session)]
        codes = [lookup.codes_of(session, member.id).code for member in members]
        return Place(database, brand_of(session), tills.new_till_key(session, shop.till), codes)


def environment(url: str, folder: Path) -> dict[str, str]:
    """Return the settings of a server on this database, with the keys that the tests build with."""
    return environment_of(url, folder) | {"LEIMA_PORT": "0", "LEIMA_LOG_LEVEL": "ERROR"}


def purchase(place: Place, code: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a new purchase; the key is the receipt's."""
    receipt = secrets.token_hex(8)
    body = {
        "member": code, "receipt": receipt, "total_cents": random.choice((300, 400, 900, 4200)),
        "occurred_at": clock.now().isoformat(),
    }  # fmt: skip
    headers = {
        "Authorization": f"Bearer {place.key}", "Idempotency-Key": receipt, "Content-Type": "application/json",
    }  # fmt: skip
    return json.dumps(body).encode(), headers


class Server:
    """A server process that dies by SIGKILL and is started anew."""

    def __init__(self, kind: str, url: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.kill.serve", kind]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(url, folder), cwd=ROOT
        )
        self.port = 0
        self._pid = 0
        self.lives = threading.Condition()

    def start(self) -> None:
        """Begin a new life and say so to the clients."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("live\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        with self.lives:
            self._pid, self.port = said["pid"], said["port"]
            self.lives.notify_all()

    def kill(self) -> None:
        """End it as a power cut would."""
        with self.lives:
            os.kill(self._pid, signal.SIGKILL)
            self.port = 0

    def wait_for_life(self, seconds: float) -> int:
        """Return the port of a living server; 0 when there was none for so long."""
        with self.lives:
            self.lives.wait_for(lambda: self.port, seconds)
            return self.port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class Till:
    """What the clients share: what was answered, and what went wrong."""

    place: Place
    server: Server
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)  # receipt → the answer
    refused: list[str] = field(default_factory=list)
    replayed: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)

    def stamp(self, number: int) -> None:
        """Buy until it is over, each purchase under one key until it is answered."""
        while not self.over.is_set():
            self._until_answered(*purchase(self.place, self.place.codes[number % 2]))

    def _until_answered(self, body: bytes, headers: dict[str, str]) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            port = self.server.wait_for_life(1)
            try:
                status, again, answer = post(port, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                continue
            if status >= 500:
                continue
            with self.changed:
                if status == 201:
                    self.acknowledged[headers["Idempotency-Key"]] = answer
                    self.replayed += again
                else:
                    self.refused.append(f"{status} {answer.get('code')}")
                self.changed.notify_all()
            return
        self.refused.append("never answered")

    def wait_for_more(self, more: int, seconds: float = 10) -> None:
        """Return when so many more purchases were answered, or something was refused."""
        with self.changed:
            wanted = len(self.acknowledged) + more
            self.changed.wait_for(lambda: self.refused or len(self.acknowledged) >= wanted, seconds)


def post(port: int, body: bytes, headers: dict[str, str]) -> tuple[int, bool, dict[str, Any]]:
    """Send one purchase; return status, whether it was a replay, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request("POST", "/api/v1/purchases", body, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Idempotent-Replayed") == "true", json.loads(response.read())
    finally:
        connection.close()


@dataclass
class Report:
    """What stands after the last kill; everything but the first two must be empty."""

    acknowledged: int
    replayed: int
    refused: list[str]
    wrong: list[str]


def run(place: Place, url: str, folder: Path, *, kind: str, kills: int, until_refused: bool = False) -> Report:
    """Kill the server so often under five clients, let them finish, and compare answers with books."""
    with Server(kind, url, folder) as server:
        till = Till(place, server)
        clients = [threading.Thread(target=till.stamp, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for _kill in range(kills):
                till.wait_for_more(random.randint(1, 12))
                time.sleep(random.uniform(0, 0.05))  # a moment that no answer marks
                server.kill()
                server.start()
                if until_refused and till.refused:
                    break
        finally:
            till.over.set()
            for client in clients:
                client.join(PATIENCE + 15)
    return Report(len(till.acknowledged), till.replayed, till.refused, compare(place, till.acknowledged))


def compare(place: Place, acknowledged: dict[str, dict[str, Any]]) -> list[str]:
    """Return every way in which the database differs from what the clients were told."""
    with place.database.reading(place.brand_id) as session:
        rows = session.execute(select(Purchase.receipt, Purchase.public_id)).all()
        booked = session.scalar(select(func.sum(LedgerEntry.amount)).where(LedgerEntry.kind == "earn")) or 0
        coupons = session.scalar(select(func.count(Coupon.id))) or 0
        balance = session.scalar(select(func.sum(Account.balance))) or 0
        answers = session.scalar(select(func.count(Answer.id))) or 0
        wrong = faults(session)
    times = Counter(receipt for receipt, _id in rows)
    told = {receipt: answer["purchase"] for receipt, answer in acknowledged.items()}
    stamps = sum(award["amount"] for answer in acknowledged.values() for award in answer["awards"])
    wrong += [f"lost: {receipt}" for receipt in told.keys() - times.keys()]
    wrong += [f"doubled: {receipt}" for receipt, count in times.items() if count != 1]
    wrong += [f"another purchase than was told: {receipt}" for receipt, one in rows if told.get(receipt, one) != one]
    wrong += [f"booked and never answered: {receipt}" for receipt in times.keys() - told.keys()]
    if not stamps == booked == balance + 10 * coupons:
        wrong.append(f"stamps told {stamps}, booked {booked}, on cards and coupons {balance + 10 * coupons}")
    if answers != len(told):
        wrong.append(f"{answers} kept answers for {len(told)} purchases")
    return wrong
