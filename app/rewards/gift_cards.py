"""Gift cards: stored value in cents, used in parts, each change an entry. The row of the card is the lock.

What is used or given back happens under a conditional UPDATE or the row's lock, so entries follow each other.
Source: earning.md, "Rewards and coupons".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import normalize_code
from app.core.db import brand_of, keyring
from app.core.errors import Conflict, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.tables import UtcDateTime
from app.ledger import settling
from app.ledger.settling import Fact
from app.network.models import Till
from app.rewards.coupons import new_code
from app.rewards.events import GiftCardChanged
from app.rewards.models import GiftCard, GiftCardEntry

ENTRY = "gift_card_entry"  # what its settlement facts name as their source


class GiftCardUnknown(NotFound):
    """No gift card of this brand has this code."""

    code = "gift_card_unknown"


class GiftCardNotUsable(Conflict):
    """The gift card is used up, expired or was taken back; `state` says which."""

    code = "gift_card_not_usable"


class GiftCardTooSmall(Conflict):
    """There is less on the gift card than was to be used; `balance_cents` says how much."""

    code = "gift_card_too_small"


@dataclass(frozen=True)
class GiftCardView:
    """A gift card as its holder sees it."""

    card: GiftCard
    code: str

    @property
    def usable(self) -> bool:
        """Tell whether something of it can be used at this moment."""
        return self.state == "active"

    @property
    def state(self) -> str:
        """Return the state as people see it: past its day it is expired, also before the nightly job says so."""
        ended = self.card.expires_at is not None and self.card.expires_at <= clock.now()
        return "expired" if self.card.state == "active" and ended else self.card.state


def issue_gift_card(
    session: Session,
    *,
    cents: int,
    source_kind: str,
    source_id: int,
    at: datetime,
    member_id: int | None = None,
    reward_id: int | None = None,
    expires_at: datetime | None = None,
    sold_cents: int = 0,
    cost_centre_id: int | None = None,
    till: Till | None = None,
) -> GiftCardView:
    """Load a new gift card; its source can make only one.

    Args:
        cents: what it is worth, more than 0.
        member_id: whose it is; None for who holds its code.
        sold_cents: what the outlet of `till` took in for it; 0 where it is given.

    Raises:
        ValueError: it is worth nothing; a mistake of the caller.
    """
    if cents <= 0:
        raise ValueError("a gift card is worth something")
    code, keys = new_code(), keyring(session)
    card = GiftCard(
        member_id=member_id, reward_id=reward_id, code=keys.encrypt(code), code_hash=keys.lookup("gift_card", code),
        last_four=code[-4:], initial_cents=cents, balance_cents=cents, sold_cents=sold_cents, issued_at=at,
        expires_at=expires_at, source_kind=source_kind, source_id=source_id, cost_centre_id=cost_centre_id,
    )  # fmt: skip
    session.add(card)
    session.flush()
    write(session, card, "load", cents, at=at, till=till)
    if sold_cents and till is not None:
        fact = Fact("gift_card_sold", -sold_cents, "gift_card", card.id, at, cost_centre_id=cost_centre_id)
        settling.freeze(session, fact, till=till)
    return GiftCardView(card, code)


def find_gift_card(session: Session, code: str) -> GiftCardView:
    """Return a gift card by its code, as scanned or typed.

    Raises:
        GiftCardUnknown: no such code for this brand.
    """
    typed = normalize_code(code)
    wanted = select(GiftCard).where(GiftCard.code_hash == keyring(session).lookup("gift_card", typed))
    card = session.scalar(wanted.execution_options(populate_existing=True))
    if card is None:
        raise GiftCardUnknown(_("There is no such gift card."))
    return GiftCardView(card, typed)


def gift_cards_of(session: Session, member_id: int) -> list[GiftCardView]:
    """Return a member's gift cards, usable ones first, then the newest."""
    keys = keyring(session)
    rows = session.scalars(select(GiftCard).where(GiftCard.member_id == member_id).order_by(GiftCard.id.desc()))
    views = [GiftCardView(card, keys.text(card.code)) for card in rows]
    return [view for view in views if view.usable] + [view for view in views if not view.usable]


_USE = text(
    "UPDATE gift_card SET balance_cents = balance_cents - :cents, "
    "state = CASE WHEN balance_cents = :cents THEN 'used' ELSE state END WHERE brand_id = :brand_id AND id = :id AND "
    "state = 'active' AND balance_cents >= :cents AND (expires_at IS NULL OR expires_at > :at)"
).bindparams(bindparam("at", type_=UtcDateTime))


def usable_cents(view: GiftCardView, wish: int | None, *, rest: int, at: datetime) -> int:
    """Return how much of a gift card pays for a basket: as much as is wished, or as much as is left to pay.

    Args:
        rest: cents that are left to pay.

    Raises:
        GiftCardNotUsable: used up, expired or taken back.
        GiftCardTooSmall: there is less on it than is wished.
    """
    card = view.card
    if card.state != "active" or (card.expires_at is not None and card.expires_at <= at):
        state = "expired" if card.state == "active" else card.state
        raise GiftCardNotUsable(_("This gift card cannot be used any more."), state=state)
    if wish is not None and wish > card.balance_cents:
        raise GiftCardTooSmall(_("There is not that much left on the gift card."), balance_cents=card.balance_cents)
    return min(card.balance_cents, rest) if wish is None else wish


def use_gift_card(
    session: Session, card: GiftCard, cents: int, *, till: Till, purchase_id: int | None, at: datetime | None = None
) -> GiftCardEntry:
    """Use a part of a gift card at a till; what its outlet gave for it is settled by this entry.

    Args:
        cents: more than 0.
        at: when it was used; now, where it is not given.

    Raises:
        GiftCardNotUsable: used up, expired or taken back.
        GiftCardTooSmall: there is less on it.
        ValueError: nothing would be used; a mistake of the caller.
    """
    if cents <= 0:
        raise ValueError("a use takes something")
    moment = at or clock.now()
    values = {"brand_id": brand_of(session), "id": card.id, "cents": cents, "at": moment}
    used = session.connection().execute(_USE, values).rowcount == 1
    session.refresh(card)
    if not used:
        usable_cents(GiftCardView(card, ""), cents, rest=cents, at=moment)
        raise RuntimeError("a gift card that can be used was not")
    entry = write(session, card, "use", -cents, at=moment, till=till, purchase_id=purchase_id)
    fact = Fact(
        "gift_card_used", cents, ENTRY, entry.id, moment, purchase_id, cost_centre_id=card.cost_centre_id
    )  # fmt: skip
    settling.freeze(session, fact, till=till)
    return entry


def hold(session: Session, card_ids: Sequence[int]) -> dict[int, GiftCard]:
    """Lock cards in id order, as they are now."""
    wanted = select(GiftCard).where(GiftCard.id.in_(card_ids)).order_by(GiftCard.id).with_for_update()
    return {card.id: card for card in session.scalars(wanted.execution_options(populate_existing=True))}


def revoke_gift_card(session: Session, card_id: int, *, only_untouched: bool = False) -> bool:
    """Take back what is left on a gift card; False where nothing is, or it ended before.

    Args:
        only_untouched: take it only while nothing of it has been used, as when its fill is undone.
    """
    card = hold(session, [card_id])[card_id]
    if card.state != "active" or (only_untouched and card.balance_cents != card.initial_cents):
        return False
    card.state = "revoked"
    end(session, card, "revoke")
    return True


def expire_gift_cards(session: Session, *, now: datetime, most: int = 500) -> int:
    """Let gift cards past their day expire with what is left on them, a slice at a time; return how many."""
    due = select(GiftCard.id).where(GiftCard.state == "active", GiftCard.expires_at <= now).limit(most)
    held = hold(session, session.scalars(due).all())
    over = [card for card in held.values() if card.state == "active" and card.expires_at and card.expires_at <= now]
    for card in over:
        card.state = "expired"
        end(session, card, "expire")
    return len(over)


def end(session: Session, card: GiftCard, kind: str) -> None:
    """Take all that is left, under the card's lock."""
    left, card.balance_cents = card.balance_cents, 0
    write(session, card, kind, -left, at=clock.now())


def write(
    session: Session,
    card: GiftCard,
    kind: str,
    cents: int,
    *,
    at: datetime,
    till: Till | None = None,
    purchase_id: int | None = None,
    reverses_id: int | None = None,
) -> GiftCardEntry:
    entry = GiftCardEntry(
        gift_card_id=card.id, kind=kind, amount_cents=cents, balance_cents=card.balance_cents,
        purchase_id=purchase_id, outlet_id=till.outlet_id if till else None, till_id=till.id if till else None,
        occurred_at=at, recorded_at=clock.now(), reverses_id=reverses_id,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    emit(session, GiftCardChanged(gift_card_id=card.id, member_id=card.member_id))
    return entry


def move_gift_cards(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's gift cards to the member it became."""
    hold(session, session.scalars(select(GiftCard.id).where(GiftCard.member_id == member_id)).all())
    session.execute(update(GiftCard).where(GiftCard.member_id == member_id).values(member_id=into_id))
