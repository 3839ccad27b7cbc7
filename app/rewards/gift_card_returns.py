"""What was used of gift cards comes back with a refund: to the same cards, once, for 14 days at least."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.ledger import settling
from app.network.models import Till
from app.rewards.coupons import GRACE_DAYS
from app.rewards.gift_cards import ENTRY, end, hold, write
from app.rewards.models import GiftCard, GiftCardEntry


def give_back_to_gift_cards(
    session: Session, *, purchase_id: int, till: Till, refund_id: int | None = None, cents: int | None = None,
    at: datetime | None = None,
) -> int:  # fmt: skip
    """Return what was used on a refunded purchase to the cards it came from; return how many cents went back.

    A card is valid 14 days more at least. What came back before does not come back again, so a repeat returns 0.

    Args:
        till: of the outlet that gives it back; it is not paid for that part.
        cents: how much of it, for a refund by lines; all that is left, where it is not given.
        at: when an offline till did it; now, where it is not given.
    """
    uses = session.scalars(
        select(GiftCardEntry)
        .where(GiftCardEntry.purchase_id == purchase_id, GiftCardEntry.kind == "use")
        .order_by(GiftCardEntry.id)
    ).all()
    at = at or clock.now()
    cards = hold(session, [entry.gift_card_id for entry in uses])
    before = _returned(session, [entry.id for entry in uses])
    given = 0
    for entry in uses:
        left = -entry.amount_cents - before.get(entry.id, 0)
        part = left if cents is None else min(left, cents - given)
        if part > 0:
            _put_back(session, cards[entry.gift_card_id], entry, part, at=at)
            settling.reverse(
                session, source_kind=ENTRY, source_id=entry.id, cents=part, till=till, at=at,
                refund_id=refund_id,
            )  # fmt: skip
            given += part
    return given


def _returned(session: Session, entry_ids: Sequence[int]) -> dict[int, int]:
    """Return how many cents of each use came back before."""
    rows = session.execute(
        select(GiftCardEntry.reverses_id, func.sum(GiftCardEntry.amount_cents))
        .where(GiftCardEntry.reverses_id.in_(entry_ids))
        .group_by(GiftCardEntry.reverses_id)
    )
    return {entry_id: int(cents) for entry_id, cents in rows if entry_id is not None}


def _put_back(session: Session, card: GiftCard, entry: GiftCardEntry, cents: int, *, at: datetime) -> None:
    """Reverse a part of a use; a card that was taken back meanwhile takes this back too."""
    now = clock.now()
    card.balance_cents += cents
    write(session, card, "reverse_use", cents, at=at, purchase_id=entry.purchase_id, reverses_id=entry.id)
    if card.state == "revoked":
        end(session, card, "revoke")
        return
    card.state = "active"
    if card.expires_at is not None:
        card.expires_at = max(card.expires_at, now + timedelta(days=GRACE_DAYS))
    session.flush()
