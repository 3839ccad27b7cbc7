"""Small helpers for tests of Apple's web service without a phone: rows, tags and wake-ups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from app.wallet import devices, wakes
from app.wallet.apns import Wake
from app.wallet.models import WalletDevice, WalletPass
from app.wallet.serve import PassFile
from app.wallet.wakes import Due, Woken
from app.worker import Worker
from tests.wallet.shop import Shop, face

PHONE, TOKEN = "d" * 32, "a1" * 32


@dataclass
class Apple:
    """Stands where Apple does: takes every wake-up, or answers as told."""

    answer: Wake = field(default_factory=lambda: Wake("accepted", "apns_accepted"))
    woken: list[str] = field(default_factory=list)  # push tokens

    def send(self, _runtime: Any, dues: Sequence[Due]) -> list[Woken]:
        if self.answer.outcome == "accepted":
            self.woken += [due.token for due in dues]
        return [Woken(due, self.answer) for due in dues]


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> Apple:
    found = Apple()
    monkeypatch.setattr(wakes, "send", found.send)
    return found


def register(shop: Shop, made: PassFile, *, device: str = PHONE, push_token: str = TOKEN) -> bool:
    """Register a downloaded pass as a phone does; True when it is new."""
    shown = face(made)
    with shop.runtime.database.unit(shop.brand_id) as session:
        row = devices.prove(session, shown["serialNumber"], shown["passTypeIdentifier"], shown["authenticationToken"])
        return devices.register(session, row, device=device, push_token=push_token)


def unregister(shop: Shop, made: PassFile, *, device: str = PHONE) -> None:
    shown = face(made)
    with shop.runtime.database.unit(shop.brand_id) as session:
        row = devices.prove(session, shown["serialNumber"], shown["passTypeIdentifier"], shown["authenticationToken"])
        devices.unregister(session, row, device=device)


def ask(shop: Shop, tag: str | None = None, *, device: str = PHONE) -> devices.Updates | None:
    """Ask what changed, as a phone does."""
    pass_type = str(pass_row(shop).pass_type)
    with shop.runtime.database.reading(shop.brand_id) as session:
        return devices.updates(session, device=device, pass_type=pass_type, tag=tag)


def pass_row(shop: Shop) -> WalletPass:
    """Return the first pass of the brand."""
    with shop.runtime.database.reading(shop.brand_id) as session:
        return session.scalars(select(WalletPass).order_by(WalletPass.id).limit(1)).one()


def phones(shop: Shop) -> list[WalletDevice]:
    """Return the phones that the brand knows."""
    with shop.runtime.database.reading(shop.brand_id) as session:
        return list(session.scalars(select(WalletDevice).order_by(WalletDevice.id)))


def work(shop: Shop) -> int:
    """Run every job that is due."""
    return Worker(shop.runtime).drain()
