"""Gift cards sold at a till: the outlet takes the value in and owes it; nothing of it used, it is taken back.

Source: earning.md, "Settlement".
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, inserting
from app.core.errors import Conflict, Invalid
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.ledger import settling
from app.ledger.service import Basket, ReceiptKnown
from app.members.models import Member
from app.network.models import Outlet, Till
from app.network.service import zone
from app.rewards import catalog
from app.rewards.coupons import validity
from app.rewards.gift_cards import GiftCardUnknown, GiftCardView, hold, issue_gift_card, revoke_gift_card
from app.rewards.models import GiftCard, GiftCardSale, Reward

SALE = "sale"  # kind of the source of a card that was sold


class GiftCardNotSold(Conflict):
    """The reward is no gift card that this till may sell now."""

    code = "gift_card_not_sold"


class GiftCardValueWrong(Invalid):
    """The gift card is not sold at this value; `from_cents` and `to_cents` say which it is sold at."""

    code = "gift_card_value_wrong"


class GiftCardTouched(Conflict):
    """Something of the gift card is used, or it has expired, so its value is not paid back."""

    code = "gift_card_touched"


@dataclass(frozen=True)
class Refunded:
    """A gift card that was taken back, now or (`repeated`) before."""

    card: GiftCard
    cents: int
    repeated: bool


def sell(
    session: Session,
    slug: str,
    *,
    cents: int,
    till: Till,
    receipt: str,
    at: datetime,
    member: Member | None = None,
    cashier: str | None = None,
) -> GiftCardView:
    """Sell a gift card: the outlet takes its value in and owes it to the brand.

    Args:
        slug: of the reward that says what it is called, how long it is good and who bears what is used of it.
        cents: its value, which is its price.
        at: when it was sold; its validity counts from then.
        member: whose it is, a merged one is followed; None for who holds its code.
        cashier: public id of staff.

    Raises:
        catalog.RewardUnknown, GiftCardNotSold, GiftCardValueWrong: as they say.
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid: the sale cannot be true.
        ReceiptKnown: this till sold a gift card by this receipt on this day.
    """
    ledger.check(Basket(cents, receipt, at))
    reward = _sold(session, slug, cents, till=till, at=at)
    member_id = ledger.hold_member(session, member.id) if member else None
    values = {
        "brand_id": brand_of(session), "till_id": till.id, "outlet_id": till.outlet_id, "receipt": receipt.strip(),
        "cashier": cashier, "local_date": at.astimezone(zone(session)).date(), "value_cents": cents, "sold_at": at,
        "recorded_at": clock.now(),
    }  # fmt: skip
    new = inserting(session)(GiftCardSale).values(values).on_conflict_do_nothing()
    sale_id = session.scalar(new.returning(GiftCardSale.id))
    if sale_id is None:
        raise ReceiptKnown(_("This receipt has been recorded already."), receipt=receipt)
    return issue_gift_card(
        session, cents=cents, source_kind=SALE, source_id=sale_id, at=at, member_id=member_id, reward_id=reward.id,
        expires_at=validity(reward, at), sold_cents=cents, cost_centre_id=reward.cost_centre_id, till=till,
    )  # fmt: skip


def sellable(session: Session, till: Till, at: datetime) -> list[Reward]:
    """Return the gift cards that a till may sell at a moment."""
    wanted = select(Reward).where(Reward.kind == "gift_card", Reward.sold_up_to_cents.is_not(None))
    return [reward for reward in session.scalars(wanted.order_by(Reward.id)) if _here(session, reward, till, at)]


def refund(session: Session, public_id: str, *, till: Till) -> Refunded:
    """Take a gift card back that this outlet sold, while nothing of it is used; a second refund changes nothing.

    Raises:
        GiftCardUnknown: there is none, or another outlet sold it.
        GiftCardTouched: something is used, or it has expired.
    """
    wanted = (
        select(GiftCard.id, GiftCardSale)
        .join(GiftCardSale, GiftCardSale.id == GiftCard.source_id)
        .where(GiftCard.public_id == public_id, GiftCard.source_kind == SALE)
    )
    found = session.execute(wanted).one_or_none()
    if found is None or found[1].outlet_id != till.outlet_id:
        raise GiftCardUnknown(_("This outlet has not sold such a gift card."))
    now, sale = clock.now(), found[1]
    card = hold(session, [found[0]])[found[0]]
    session.refresh(sale)
    if sale.refunded_at is not None:
        return Refunded(card, sale.value_cents, True)
    over = card.expires_at is not None and card.expires_at <= now
    if over or not revoke_gift_card(session, card.id, only_untouched=True):
        used = card.initial_cents - card.balance_cents
        raise GiftCardTouched(_("Something of this gift card is used, or it has expired."), used_cents=used)
    sale.refunded_at = now
    session.flush()
    settling.reverse(
        session, source_kind="gift_card", source_id=card.id, cents=sale.value_cents, till=till, at=now
    )  # fmt: skip
    return Refunded(card, sale.value_cents, False)


def _sold(session: Session, slug: str, cents: int, *, till: Till, at: datetime) -> Reward:
    reward = catalog.find(session, slug)
    if reward.kind != "gift_card" or reward.sold_up_to_cents is None or not _here(session, reward, till, at):
        raise GiftCardNotSold(_("This till does not sell such gift cards."), reward=slug)
    least, most = reward.face_cents, reward.sold_up_to_cents
    if not least <= cents <= most:
        message = _(
            "This gift card is sold from %(least)s to %(most)s.", least=format_cents(least), most=format_cents(most)
        )
        raise GiftCardValueWrong(message, reward=slug, from_cents=least, to_cents=most)
    return reward


def _here(session: Session, reward: Reward, till: Till, at: datetime) -> bool:
    """Tell whether a reward is of this moment and this till's outlet."""
    begins, ends = reward.valid_from, reward.valid_until
    if (begins is not None and at < begins) or (ends is not None and at >= ends):
        return False
    here = select(Outlet.slug).where(Outlet.id == till.outlet_id)
    return not reward.outlets or session.scalar(here) in reward.outlets
