"""The rewards of a brand as the console edits them. What a redemption has frozen stays, whatever changes here."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.core.money import MAX_CENTS
from app.members.models import Member
from app.rewards.models import Coupon, GiftCard, InvitationReply, Reward
from app.rewards.setup import NEEDS, TIED

MOST_REPLIES = 500


class RewardUnknown(NotFound):
    """No reward of this brand has this short name."""

    code = "reward_unknown"


class RewardTaken(Conflict):
    """A reward has this short name already."""

    code = "reward_taken"


class RewardInvalid(Invalid):
    """What was said of a reward does not fit; `field` says what."""

    code = "reward_invalid"


@dataclass(frozen=True)
class Use:
    """How many of a reward were given so far, and how many of its coupons were used."""

    given: int
    redeemed: int


def find(session: Session, slug: str) -> Reward:
    """Return a reward of this brand.

    Raises:
        RewardUnknown
    """
    reward = session.scalar(select(Reward).where(Reward.slug == slug))
    if reward is None:
        raise RewardUnknown(_("There is no such reward."))
    return reward


def uses(session: Session) -> dict[int, Use]:
    """Return what was given and used of each reward by its id."""
    given: Counter[int] = Counter()
    used: Counter[int] = Counter()
    for reward_id, state, n in session.execute(
        select(Coupon.reward_id, Coupon.state, func.count(Coupon.id)).group_by(Coupon.reward_id, Coupon.state)
    ):
        given[reward_id] += n
        used[reward_id] += n if state == "redeemed" else 0
    for card_reward, state, n in session.execute(
        select(GiftCard.reward_id, GiftCard.state, func.count(GiftCard.id))
        .where(GiftCard.reward_id.is_not(None))
        .group_by(GiftCard.reward_id, GiftCard.state)
    ):
        given[card_reward or 0] += n
        used[card_reward or 0] += n if state == "used" else 0
    return {reward_id: Use(n, used[reward_id]) for reward_id, n in given.items()}


def is_given(session: Session, reward: Reward) -> bool:
    """Tell whether anybody was given the reward."""
    tables = (Coupon, GiftCard)
    return any(
        session.scalar(select(table.id).where(table.reward_id == reward.id).limit(1)) is not None for table in tables
    )


def save(session: Session, slug: str, values: dict[str, Any], *, known: Reward | None = None) -> Reward:
    """Write a reward: a new one, or what differs of one that is there. The same form twice changes nothing.

    Args:
        values: columns → values, as `RewardIn` names and limits them.
        known: the reward to change; its short name stays.

    Raises:
        RewardInvalid: the kind needs something else, or people hold it already.
        RewardTaken: another one has this short name.
    """
    _check(session, values, known)
    if known is not None:
        for name, value in values.items():
            setattr(known, name, value)
        session.flush()
        return known
    row = Reward(slug=slug, **values)
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        before = find(session, slug)
        if all(getattr(before, name) == value for name, value in values.items()):
            return before
        raise RewardTaken(_("A reward has this short name already."), field="slug") from None
    return row


def _check(session: Session, values: dict[str, Any], known: Reward | None) -> None:
    kind = values["kind"]
    if kind in NEEDS and not values.get(NEEDS[kind]):
        raise RewardInvalid(_("Fill this in."), field=NEEDS[kind])
    for name, kinds in TIED.items():
        if values.get(name) and kind not in kinds:
            raise RewardInvalid(_("This kind of reward has nothing of the sort."), field=name)
    most = values.get("sold_up_to_cents")
    if most is not None and not values["face_cents"] <= most <= MAX_CENTS:
        least = {"least": format_cents(values["face_cents"]), "most": format_cents(MAX_CENTS)}
        raise RewardInvalid(_("Write an amount from %(least)s to %(most)s.", **least), field="sold_up_to_cents")
    begins, ends = values.get("valid_from"), values.get("valid_until")
    if begins and ends and begins >= ends:
        raise RewardInvalid(_("It ends before it begins."), field="valid_until")
    if known is None:
        return
    if kind != known.kind and is_given(session, known):
        raise RewardInvalid(_("Members hold it already, so its kind stays. Make a new reward."), field="kind")
    seats = values.get("seats")
    if seats is not None and seats < known.seats_taken:
        raise RewardInvalid(_("%(taken)s seats are taken already.", taken=known.seats_taken), field="seats")


def replies(session: Session, reward: Reward) -> list[tuple[InvitationReply, Member]]:
    """Return the answers to an invitation with who gave them, the newest first."""
    rows = session.execute(
        select(InvitationReply, Member)
        .join(Coupon, Coupon.id == InvitationReply.coupon_id)
        .join(Member, Member.id == Coupon.member_id)
        .where(Coupon.reward_id == reward.id)
        .order_by(InvitationReply.at.desc())
        .limit(MOST_REPLIES)
    )
    return [(reply, member) for reply, member in rows]
