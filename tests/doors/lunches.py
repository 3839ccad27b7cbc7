"""A shop that sells ten lunches in advance, and gift cards."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.cards import serial_views
from app.ledger.models import SettlementFact
from tests.cards.kinds import a_plan
from tests.doors.shop import Shop
from tests.shop import a_reward, faults

LUNCH = "serial:lunches:9000"
MINUTE = timedelta(seconds=61)


@pytest.fixture
def lunches(shop: Shop) -> Iterator[Shop]:
    """A shop that sells ten lunches for 90.00 and gift cards; afterwards the books hold."""
    with shop.database.unit(shop.brand_id) as session:
        plan = {"uses": 10, "price_cents": 9000, "valid_months": 6}
        program = a_plan(session, "serial_card", plan, slug="lunches")
        program.name, program.unit = {"en": "Ten lunches"}, {"en": ["lunch", "lunches"]}
        a_reward(session, "present", kind="gift_card", face_cents=1000, sold_up_to_cents=5000, name={"en": "Present"})
    yield shop
    with shop.database.reading(shop.brand_id) as session:
        assert faults(session) == []


def sell(shop: Shop, *, scan: str | None = None, key: str = "sell-1", item: str = LUNCH, **more: str) -> str:
    """Sell something to the member; return the address that follows."""
    answer = shop.post("/till/cards", scan=scan or shop.scan(), item=item, key=key, **more)
    assert answer.status_code == 303, answer.text
    return answer.location


def done(location: str) -> str:
    """Return the id of what was done."""
    found = re.search(r"[?&]done=([0-9A-Z]{26})", location)
    assert found is not None
    return found[1]


def left(shop: Shop) -> int:
    """Return how many lunches the member has left."""
    with shop.database.reading(shop.brand_id) as session:
        return sum(stock.left for stock in serial_views.stocks(session, shop.member_id))


def owed(shop: Shop) -> int:
    """Return what the brand owes its outlets by now, in cents; below zero they owe it."""
    with shop.database.reading(shop.brand_id) as session:
        return session.scalar(select(func.coalesce(func.sum(SettlementFact.cents), 0))) or 0
