"""A shop with limits against misuse: those that a brand has when it says nothing, but for what a test sets."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.cards import service
from app.cards.misuse_models import Flag
from app.cards.paying import Wishes
from app.cards.service import PurchaseResult
from app.core import clock
from app.core.db import Database, brand_of
from app.ledger.service import Basket
from app.members.models import Contact, Member
from app.network.models import Brand, Outlet, Reseller, Staff, Till
from tests.builders import a_brand
from tests.shop import Shop, a_basket, a_shop, faults

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=HELSINKI)


@pytest.fixture
def strict_shop(database: Database) -> Iterator[Shop]:
    """A shop on each database with the limits' defaults, at noon; the books are checked in the end."""
    with clock.moved(to=NOON), database.unit(a_brand(database, limits={})) as session:
        yield a_shop(session)
        assert faults(session) == []


def set_limits(shop: Shop, **limits: Any) -> None:
    """Change limits of the shop's brand; False is off."""
    brand = shop.session.get_one(Brand, brand_of(shop.session))
    brand.limits = {**brand.limits, **limits}
    shop.session.flush()


def sell(
    shop: Shop, cents: int = 400, *, till: Till | None = None, at: datetime | None = None, offline: bool = False,
    member: Member | None = None, **basket: Any,
) -> PurchaseResult:  # fmt: skip
    """Sell for a stamp, or for more; `basket` may name cashier and approver."""
    plain = a_basket(cents, at=at)
    sold = Basket(plain.total_cents, plain.receipt, plain.occurred_at, **basket)
    return service.record_purchase(
        shop.session, sold, member=member or shop.member, till=till or shop.till, wishes=Wishes(offline=offline)
    )


def told(*sales: PurchaseResult) -> list[tuple[int, str]]:
    """Return amount and reason of the first award of each sale."""
    return [(sale.awards[0].amount, sale.awards[0].reason) for sale in sales]


def flags(shop: Shop) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and details of every flag, in order."""
    rows: Sequence[Flag] = shop.session.scalars(select(Flag).order_by(Flag.id)).all()
    return [(row.kind, row.details) for row in rows]


def a_worker(
    shop: Shop, email: str, *, role: str = "cashier", till: Till | None = None, phone: str | None = None
) -> Staff:
    """Build a person of the reseller of a till, or of the brand."""
    at = (till or shop.till).outlet_id
    of_reseller = role in ("cashier", "reseller_manager")
    reseller = shop.session.scalars(
        select(Reseller.id).join(Outlet, Outlet.reseller_id == Reseller.id).where(Outlet.id == at)
    ).one()
    person = Staff(email=email, name=email, role=role, phone=phone, reseller_id=reseller if of_reseller else None)
    shop.session.add(person)
    shop.session.flush()
    return person


def own_card(shop: Shop, *, role: str = "cashier", till: Till | None = None) -> Staff:
    """Build a person who works here and whose card is the shop's member's."""
    email = shop.session.scalars(select(Contact.value).where(Contact.member_id == shop.member.id)).first()
    assert email is not None
    return a_worker(shop, email, role=role, till=till)


def place(shop: Shop, till: Till, latitude: float, longitude: float) -> None:
    """Say where a till's outlet is."""
    outlet = shop.session.get_one(Outlet, till.outlet_id)
    outlet.latitude, outlet.longitude = latitude, longitude
    shop.session.flush()
