"""Who gives a reward: a rule or a full card, the brand's welcome, somebody of the staff by hand."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, inserting, keyring
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.members.models import Member
from app.network.models import Brand, Staff
from app.rewards.coupons import CouponView, issue, revoke, validity
from app.rewards.gift_cards import GiftCardView, issue_gift_card, move_gift_cards, revoke_gift_card
from app.rewards.holding import hold_coupons
from app.rewards.models import Coupon, GiftCard, HandGrant, Reward, WelcomeGift

Given = CouponView | GiftCardView
GRANT_REASONS = ("apology", "thanks", "competition", "cardboard_card", "other")


class ReasonUnknown(Invalid):
    """A reward is given by hand for one of the known reasons."""

    code = "grant_reason_unknown"


def give(session: Session, *, member_id: int, reward: Reward, source_kind: str, source_id: int, at: datetime) -> Given:
    """Give a member a reward: a gift card of its face value where it is of that kind, else a coupon.

    Args:
        source_kind: `fill`, `welcome`, `issue` or `hand`; with `source_id` it can give only one.
        at: when it was earned.
    """
    if reward.kind != "gift_card":
        return issue(session, member_id=member_id, reward=reward, source_kind=source_kind, source_id=source_id, at=at)
    return issue_gift_card(
        session, cents=reward.face_cents, source_kind=source_kind, source_id=source_id, at=at, member_id=member_id,
        reward_id=reward.id, expires_at=validity(reward, at), cost_centre_id=reward.cost_centre_id,
    )  # fmt: skip


def take_back(session: Session, *, source_kind: str, source_id: int) -> bool:
    """Take back what a source gave while nobody has used any of it; False where it was used or taken back before."""
    coupon_id = session.scalar(
        select(Coupon.id).where(Coupon.source_kind == source_kind, Coupon.source_id == source_id)
    )
    if coupon_id is not None:
        return revoke(session, coupon_id)
    card_id = session.scalar(
        select(GiftCard.id).where(GiftCard.source_kind == source_kind, GiftCard.source_id == source_id)
    )
    return card_id is not None and revoke_gift_card(session, card_id, only_untouched=True)


def states(session: Session, source_kind: str, source_ids: Sequence[int]) -> dict[int, str]:
    """Return source → state of the coupon or gift card that it gave."""
    if not source_ids:
        return {}
    return {
        source_id: state
        for table in (Coupon, GiftCard)
        for source_id, state in session.execute(
            select(table.source_id, table.state).where(
                table.source_kind == source_kind, table.source_id.in_(source_ids)
            )
        )
    }


def welcome_reward(session: Session) -> Reward | None:
    """Return what the brand gives for joining; None where it gives nothing."""
    reward_id = session.get_one(Brand, brand_of(session)).welcome_reward_id
    return session.get(Reward, reward_id) if reward_id else None


def claim_welcome(session: Session, *, member_id: int, contact: str) -> int | None:
    """Remember that a contact is welcomed, once ever; None where it or the member was before.

    Args:
        contact: the normalized address or number; kept as a hash only, also after the member is gone.
    """
    if _welcomed(session, member_id):
        return None
    hashed = keyring(session).lookup("welcome", contact)
    insert = inserting(session)(WelcomeGift).values(brand_id=brand_of(session), contact_hash=hashed, at=clock.now())
    claimed: int | None = session.execute(insert.on_conflict_do_nothing().returning(WelcomeGift.id)).scalar()
    return claimed


def give_welcome(session: Session, *, member_id: int, claimed: int) -> Given | None:
    """Give the brand's welcome gift for a claim; None where there is none."""
    reward = welcome_reward(session)
    if reward is None:
        return None
    return give(session, member_id=member_id, reward=reward, source_kind="welcome", source_id=claimed, at=clock.now())


def _welcomed(session: Session, member_id: int) -> bool:
    had = (
        select(table.id).where(table.member_id == member_id, table.source_kind == "welcome").limit(1)
        for table in (Coupon, GiftCard)
    )
    return any(session.scalar(query) is not None for query in had)


def grant(
    session: Session, member: Member, reward: Reward, *, staff: Staff, reason: str, key: str | None = None
) -> Given | None:
    """Give a member a reward by hand, with who gave it and why; words about it belong in a note.

    Args:
        member: a merged one is followed to the member it became.
        reason: one of `GRANT_REASONS`.
        key: of the form that asks; None comes back where it has given before.

    Raises:
        ReasonUnknown: it is not.
    """
    if reason not in GRANT_REASONS:
        raise ReasonUnknown(_("Choose a reason."), reasons=list(GRANT_REASONS))
    member_id, now = ledger.hold_member(session, member.id), clock.now()
    if key and session.scalar(select(HandGrant.id).where(HandGrant.key == key)) is not None:
        return None
    row = HandGrant(
        member_id=member_id, reward_id=reward.id, staff=staff.public_id, reason=reason, at=now, key=key or None
    )
    session.add(row)
    session.flush()
    return give(session, member_id=member_id, reward=reward, source_kind="hand", source_id=row.id, at=now)


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's coupons and gift cards to the member it became."""
    hold_coupons(session, session.scalars(select(Coupon.id).where(Coupon.member_id == member_id)).all())
    session.execute(update(Coupon).where(Coupon.member_id == member_id).values(member_id=into_id))
    move_gift_cards(session, member_id=member_id, into_id=into_id)
