"""A shop that sells serial cards, and what a test does with them at a moment in Helsinki."""

from typing import Any

import pytest
from sqlalchemy import select

from app.cards import serial
from app.cards.serial import Sold, Used
from app.cards.serial_models import SerialCard, SerialUse
from app.core import clock
from app.core.crypto import random_symbols
from app.ledger.models import SettlementFact
from app.members.models import Member
from tests.cards.club import on
from tests.cards.kinds import a_plan
from tests.shop import Shop

# Ten uses for 90.01 until the end of the second month after; 20.00 back within 30 days, 10.00 within 60.
PLAN = {
    "uses": 10, "price_cents": 9001, "valid_months": 2,
    "speed_steps": [{"within_days": 30, "credit_cents": 2000}, {"within_days": 60, "credit_cents": 1000}],
}  # fmt: skip
BONUS = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 100}]}], "expires_after_months": 12}
SLUG = "serial-card"


@pytest.fixture
def pool(bare_shop: Shop) -> Shop:
    """A shop with a serial card and no other program; the books are checked in the end."""
    a_plan(bare_shop.session, "serial_card", PLAN)
    return bare_shop


def sell(shop: Shop, *when: int, member: Member | None = None, receipt: str | None = None) -> Sold:
    """Sell a card at a moment."""
    with on(*when):
        return serial.sell(
            shop.session, SLUG, member=member or shop.member, till=shop.till, receipt=receipt or random_symbols(8),
            at=clock.now(),
        )  # fmt: skip


def use(shop: Shop, uses: int, *when: int, **more: Any) -> Used:
    """Use a card at a moment, at the far till's outlet."""
    with on(*when):
        return serial.use(shop.session, SLUG, member_id=shop.member.id, till=shop.far_till, uses=uses, **more)


def back(shop: Shop, row: SerialUse, *when: int) -> serial.Reversed:
    """Take a use back at a moment."""
    with on(*when):
        return serial.reverse(shop.session, row.public_id, till=shop.far_till)


def facts(shop: Shop) -> list[tuple[str, int]]:
    """Return kind and cents of every settlement fact, in order."""
    rows = shop.session.scalars(select(SettlementFact).order_by(SettlementFact.id))
    return [(row.kind, row.cents) for row in rows]


def cards(shop: Shop) -> list[SerialCard]:
    """Return all cards as they are now, in order."""
    wanted = select(SerialCard).order_by(SerialCard.id).execution_options(populate_existing=True)
    return list(shop.session.scalars(wanted))
