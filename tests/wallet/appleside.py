"""A shop, the strict push service and one iPhone, on loopback: what happens when something of it is broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.apns import FakeApns
from app.fakes.iphone import SimulatedIPhone
from app.fakes.wallet_chain import WalletChain
from app.wallet.outgoing import close
from app.worker import Worker
from tests.apps import a_client
from tests.wallet.shop import Shop, a_shop


@dataclass
class AppleShop:
    """A brand whose member has the card on a phone."""

    shop: Shop
    apns: FakeApns
    client: FlaskClient
    phone: SimulatedIPhone = field(init=False)
    statuses: list[tuple[str, int]] = field(default_factory=list)  # of the phone's own calls

    def __post_init__(self) -> None:
        self.phone = SimulatedIPhone(self.apns.token, transport=self._carry, authority=self.shop.chain.root)
        self.seen = len(self.apns.received)

    def take(self, member_id: int | None = None) -> str:
        """Put the card on the phone and let it settle; return its serial."""
        serial = self.phone.add(self.shop.apple(member_id).body).file.serial
        self.work()
        return serial

    def work(self, by: timedelta = timedelta()) -> int:
        """Run what is due, let the phone hear what Apple took for it; return how many wake-ups there were."""
        with clock.moved(by=by):
            Worker(self.shop.runtime).drain()
            new, self.seen = self.apns.received[self.seen :], len(self.apns.received)
            mine = [one for one in new if one.token == self.phone.push_token]
            if mine:
                self.phone.wake()
        return len(mine)

    def balance(self, serial: str) -> str:
        """Return what the phone shows."""
        return self.phone.fields(serial)["balance"]

    def _carry(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any, bytes]:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = self.client.open(path, method=method, headers=dict(headers), data=body)
        self.statuses.append((method, answer.status_code))
        return answer.status_code, dict(answer.headers), answer.data


@contextmanager
def apple_shop(
    database: Database, settings: Settings, chain: WalletChain, folder: Path, **fields: Any
) -> Iterator[AppleShop]:
    with FakeApns(chain.wwdr + chain.root) as apns:
        root = folder / "root.pem"
        root.write_bytes(apns.root)
        shop = a_shop(database, settings, chain, outbound_map=apns.mapping, outbound_root=root, **fields)
        yield AppleShop(shop, apns, a_client(shop.runtime))
        close(shop.runtime)
