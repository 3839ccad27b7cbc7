"""A shop with a standing program, and what a test asks of it at a moment in Helsinki."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import tiers
from app.cards.events import TierChanged
from app.cards.models import TierChange
from app.cards.service import PurchaseResult
from app.core import clock
from app.members.models import Member
from tests.cards.kinds import a_plan
from tests.programs import local
from tests.shop import Shop

# Silver from 500.00 in a year, kept 1 full month; gold from 1,500.00, kept 12; an afternoon guest by 3 visits a month.
PLAN = {
    "tiers": [
        {"slug": "guest", "from_visits": 3, "period": "month", "keeps_months": 0},
        {"slug": "silver", "from_cents": 50_000, "discount_bp": 300, "keeps_months": 1},
        {"slug": "gold", "from_cents": 150_000, "discount_bp": 500, "keeps_months": 12},
    ]
}
SET = {
    "tiers": PLAN["tiers"],
    "rules": [{"name": "mug", "when": {"min_cents": 9000}, "then": [{"do": "set_tier", "tier": "gold"}]}],
}


@contextmanager
def on(*when: int) -> Iterator[None]:
    """Move the clock to a moment in Helsinki."""
    with clock.moved(to=local(*when)):
        yield


@pytest.fixture
def club(bare_shop: Shop) -> Shop:
    """A shop with a standing program; the books are checked in the end."""
    a_plan(bare_shop.session, "standing", PLAN)
    return bare_shop


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[TierChanged]:
    """Every event of a tier that is emitted."""
    events: list[TierChanged] = []
    monkeypatch.setattr(tiers, "emit", lambda _session, event: events.append(event))
    return events


def buy(shop: Shop, cents: int, *when: int, **more: Any) -> PurchaseResult:
    """Buy at a moment in Helsinki."""
    with on(*when):
        return shop.buy(cents, **more)


def tier(shop: Shop, *when: int, member: Member | None = None) -> str:
    """Return the tier that a member is in at a moment in Helsinki."""
    found = tiers.held(shop.session, (member or shop.member).id, local(*when))
    return found[0].tier.slug if found else ""


def changes(shop: Shop, member: Member | None = None) -> list[tuple[str, str, str]]:
    """Return a member's changes, oldest first: from, to, why."""
    mine = select(TierChange).where(TierChange.member_id == (member or shop.member).id).order_by(TierChange.id)
    return [(row.was, row.tier, row.reason) for row in shop.session.scalars(mine)]


def lower(shop: Shop, *when: int, most: int = 500) -> int:
    """Run the job at a moment in Helsinki."""
    with on(*when):
        return tiers.settle_due(shop.session, now=clock.now(), most=most)
