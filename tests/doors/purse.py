"""What the member before the till has to pay with, and what a sale left to pay."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.ledger.models import Purchase
from app.members import allowing
from app.members.models import Member
from app.rewards import gift_cards
from app.rewards import service as rewards
from tests.cards.kinds import a_plan
from tests.doors.shop import Shop
from tests.shop import a_reward, faults

BONUS = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]}


@dataclass(frozen=True)
class Purse:
    """What the member has: 10.00 of bonus, a coupon for 5.00 off, a gift card of 8.00; a bearer's card of 3.00."""

    coupon: rewards.CouponView
    gift: rewards.GiftCardView
    bearer: rewards.GiftCardView


@pytest.fixture
def purse(shop: Shop) -> Iterator[Purse]:
    """A member with something of everything; afterwards the books hold."""
    with shop.database.unit(shop.brand_id) as session:
        a_plan(session, "bonus", BONUS)
        off = a_reward(session, "five-off", kind="discount_cents", face_cents=500, name={"en": "Five euros off"})
        now: dict[str, Any] = {"at": clock.now()}
        coupon = rewards.issue(session, member_id=shop.member_id, reward=off, source_kind="welcome", source_id=9, **now)
        gift = gift_cards.issue_gift_card(
            session, cents=800, source_kind="hand", source_id=900, member_id=shop.member_id, **now
        )
        bearer = gift_cards.issue_gift_card(session, cents=300, source_kind="sale", source_id=901, **now)
    assert shop.sell("100,00", key="first").status_code == 303
    yield Purse(coupon, gift, bearer)
    with shop.database.reading(shop.brand_id) as session:
        unearned = {"3 each grant by hand has its coupon or gift card"}  # the gift card of this test has no grant
        assert [line for line in faults(session) if not any(line.startswith(name) for name in unearned)] == []


def due(shop: Shop) -> int:
    """Return what the newest sale left to pay, in cents."""
    with shop.database.reading(shop.brand_id) as session:
        return session.scalars(select(Purchase).order_by(Purchase.id.desc()).limit(1)).one().due_cents


def everything(shop: Shop, purse: Purse) -> dict[str, str]:
    """Return the fields of a sale that everything pays for."""
    return {
        "use": purse.coupon.coupon.public_id, "spend-bonus": "2,50", "gift": purse.gift.card.public_id,
        "code": shop.read(purse.bearer.code),
    }  # fmt: skip


def allow(shop: Shop, *, yes: bool = True) -> None:
    """Answer on the member's phone."""
    with shop.database.unit(shop.brand_id) as session:
        member = session.get_one(Member, shop.member_id)
        (asked,) = allowing.questions(session, member)
        allowing.answer(session, member, asked.public_id, allow=yes)
