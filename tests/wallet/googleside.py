"""A shop whose Google is the strict fake: button, saves, patches and callbacks over real HTTP on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import jwt
from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.google import FakeGoogle
from app.fakes.wallet_chain import ISSUER_ID, WalletChain
from app.wallet.google import SAVE_URL
from app.wallet.models import WalletPass
from app.wallet.outgoing import close
from app.worker import Worker
from tests.wallet.shop import Shop, a_shop


@dataclass
class GoogleShop:
    """A brand with one member, and the Google that it speaks to."""

    shop: Shop
    google: FakeGoogle
    clock_of_google: list[timedelta]

    @contextmanager
    def moved(self, by: timedelta) -> Iterator[None]:
        """Move our clock, and Google's, whose threads have one of their own."""
        self.clock_of_google[:] = [by]
        with clock.moved(by=by):
            yield
        self.clock_of_google[:] = [timedelta()]

    def press(self, member_id: int | None = None) -> str:
        """Press the button and return the address at Google."""
        return self.shop.google(member_id)

    def save(self, link: str) -> str:
        """Follow a save link as a browser does, and return the page."""
        url = link.replace("https://pay.google.com", self.google.base_url)
        with urlopen(Request(url), timeout=10) as answer:
            found: str = answer.read().decode()
        return found

    def work(self) -> None:
        Worker(self.shop.runtime).drain()

    def rows(self) -> list[WalletPass]:
        with self.shop.runtime.database.reading(self.shop.brand_id) as session:
            wanted = select(WalletPass).where(WalletPass.kind == "google").order_by(WalletPass.id)
            return list(session.scalars(wanted))

    def card(self) -> dict[str, Any]:
        """Return the card as Google has it."""
        row = next(row for row in self.rows() if row.program_id is not None)
        return self.google.objects[f"{ISSUER_ID}.{row.serial}"]

    def balance(self) -> str:
        found: str = self.card()["loyaltyPoints"]["balance"]["string"]
        return found


@contextmanager
def google_shop(database: Database, settings: Settings, chain: WalletChain, **fields: Any) -> Iterator[GoogleShop]:
    shift = [timedelta()]
    with FakeGoogle(chain.service_account, ISSUER_ID, now=lambda: clock.now() + shift[0]) as google:
        mapping = google.mapping | fields.pop("outbound_map", {})
        shop = a_shop(database, settings, chain, outbound_map=mapping, **fields)
        yield GoogleShop(shop, google, shift)
        close(shop.runtime)


def is_id_link(link: str) -> bool:
    """Tell whether a link names objects only."""
    claims = jwt.decode(link.removeprefix(SAVE_URL), options={"verify_signature": False})
    objects = [one for part in claims["payload"].values() for one in part]
    return all(set(one) == {"id"} for one in objects)
