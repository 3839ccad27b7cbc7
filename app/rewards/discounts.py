"""What the brand does not owe an outlet for a coupon any more, where goods of its basket came back by lines.

A coupon stays used until its whole basket came back, but the outlet has given less by then. Source: earning.md,
"Settlement": for percent and amount discounts what the outlet really gave.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger.models import SettlementFact
from app.ledger.rules import part_of
from app.ledger.settling import Fact, freeze
from app.network.models import Till
from app.rewards import rules
from app.rewards.models import Coupon, Redemption, Reward

REDEMPTION = "redemption"  # source of such a fact
Part = tuple[int, int, int, int]  # a line's number, its items, those that came back before, those that come now


def take_discounts_back(
    session: Session, parts: Iterable[Part], *, purchase_id: int, refund_id: int, till: Till, at: datetime
) -> None:
    """Freeze what is owed less for the discounts of a purchase of which some lines came back; fixed values stay."""
    measured = (
        select(Redemption)
        .join(Coupon, Coupon.id == Redemption.coupon_id)
        .join(Reward, Reward.id == Coupon.reward_id)
        .where(
            Redemption.purchase_id == purchase_id, Redemption.reversed_at.is_(None),
            Redemption.line_discounts.is_not(None), Reward.kind.in_(rules.MEASURED),
        )
        .order_by(Redemption.id)
    )  # fmt: skip
    came = list(parts)
    for redemption in session.scalars(measured).all():
        lines = redemption.line_discounts or []
        cents = sum(part_of(lines[number - 1], items, gone, now) for number, items, gone, now in came)
        if cents:
            freeze(session, _less(redemption, -cents, at=at, refund_id=refund_id), till=till)


def annul(session: Session, redemption: Redemption, *, at: datetime) -> None:
    """Let what was owed less for a redemption be owed again, since all of it is owed no more."""
    facts = (SettlementFact.source_kind == REDEMPTION, SettlementFact.source_id == redemption.id)
    less = int(session.scalar(select(func.sum(SettlementFact.cents)).where(*facts)) or 0)
    if less:
        till = session.get_one(Till, redemption.till_id)
        freeze(session, _less(redemption, -less, at=at), till=till)


def _less(redemption: Redemption, cents: int, *, at: datetime, refund_id: int | None = None) -> Fact:
    return Fact(
        "coupon_discount", cents, REDEMPTION, redemption.id, at, redemption.purchase_id, refund_id,
        redemption.cost_centre_id, redemption.campaign, redemption.vat_code,
    )  # fmt: skip
