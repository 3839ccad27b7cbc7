"""Gift cards: stored value in cents, used in parts, each change an entry. The row of the card is the lock.

What is used or given back happens under a conditional UPDATE or the row's lock, so entries follow each other.
Source: earning.md, "Rewards and coupons".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import normalize_code
from app.core.db import brand_of, keyring
from app.core.errors import Conflict, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.tables import UtcDateTime
from app.network.models import Till
from app.rewards.coupons import GRACE_DAYS, new_code
from app.rewards.events import GiftCardChanged
from app.rewards.models import GiftCard, GiftCardEntry


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
    _write(session, card, "load", cents, at=at, till=till)
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
    if used:
        return _write(session, card, "use", -cents, at=moment, till=till, purchase_id=purchase_id)
    if card.state == "active" and (card.expires_at is None or card.expires_at > moment):
        raise GiftCardTooSmall(_("There is not that much left on the gift card."), balance_cents=card.balance_cents)
    state = "expired" if card.state == "active" else card.state
    raise GiftCardNotUsable(_("This gift card cannot be used any more."), state=state)


def give_back_to_gift_cards(session: Session, *, purchase_id: int, cents: int | None = None) -> int:
    """Return what was used on a refunded purchase to the cards it came from; return how many cents went back.

    A card is valid 14 days more at least. What came back before does not come back again, so a repeat returns 0.

    Args:
        cents: how much of it, for a refund by lines; all that is left, where it is not given.
    """
    uses = session.scalars(
        select(GiftCardEntry)
        .where(GiftCardEntry.purchase_id == purchase_id, GiftCardEntry.kind == "use")
        .order_by(GiftCardEntry.id)
    ).all()
    cards = _hold(session, [entry.gift_card_id for entry in uses])
    before = _returned(session, [entry.id for entry in uses])
    given = 0
    for entry in uses:
        left = -entry.amount_cents - before.get(entry.id, 0)
        part = left if cents is None else min(left, cents - given)
        if part > 0:
            _put_back(session, cards[entry.gift_card_id], entry, part)
            given += part
    return given


def _hold(session: Session, card_ids: Sequence[int]) -> dict[int, GiftCard]:
    """Lock cards in id order, as they are now."""
    wanted = select(GiftCard).where(GiftCard.id.in_(card_ids)).order_by(GiftCard.id).with_for_update()
    return {card.id: card for card in session.scalars(wanted.execution_options(populate_existing=True))}


def _returned(session: Session, entry_ids: Sequence[int]) -> dict[int, int]:
    """Return how many cents of each use came back before."""
    rows = session.execute(
        select(GiftCardEntry.reverses_id, func.sum(GiftCardEntry.amount_cents))
        .where(GiftCardEntry.reverses_id.in_(entry_ids))
        .group_by(GiftCardEntry.reverses_id)
    )
    return {entry_id: int(cents) for entry_id, cents in rows if entry_id is not None}


def _put_back(session: Session, card: GiftCard, entry: GiftCardEntry, cents: int) -> None:
    """Reverse a part of a use; a card that was taken back meanwhile takes this back too."""
    now = clock.now()
    card.balance_cents += cents
    _write(session, card, "reverse_use", cents, at=now, purchase_id=entry.purchase_id, reverses_id=entry.id)
    if card.state == "revoked":
        _end(session, card, "revoke")
        return
    card.state = "active"
    if card.expires_at is not None:
        card.expires_at = max(card.expires_at, now + timedelta(days=GRACE_DAYS))
    session.flush()


def revoke_gift_card(session: Session, card_id: int, *, only_untouched: bool = False) -> bool:
    """Take back what is left on a gift card; False where nothing is, or it ended before.

    Args:
        only_untouched: take it only while nothing of it has been used, as when its fill is undone.
    """
    card = _hold(session, [card_id])[card_id]
    if card.state != "active" or (only_untouched and card.balance_cents != card.initial_cents):
        return False
    card.state = "revoked"
    _end(session, card, "revoke")
    return True


def expire_gift_cards(session: Session, *, now: datetime, most: int = 500) -> int:
    """Let gift cards past their day expire with what is left on them, a slice at a time; return how many.

    They are told of in the order of their members: a waiting job of a member is a lock.
    """
    due = select(GiftCard.id).where(GiftCard.state == "active", GiftCard.expires_at <= now).limit(most)
    held = _hold(session, session.scalars(due).all())
    over = [card for card in held.values() if card.state == "active" and card.expires_at and card.expires_at <= now]
    for card in sorted(over, key=lambda card: (card.member_id or 0, card.id)):
        card.state = "expired"
        _end(session, card, "expire")
    return len(over)


def _end(session: Session, card: GiftCard, kind: str) -> None:
    """Take all that is left, under the card's lock."""
    left, card.balance_cents = card.balance_cents, 0
    _write(session, card, kind, -left, at=clock.now())


def _write(
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
    session.execute(update(GiftCard).where(GiftCard.member_id == member_id).values(member_id=into_id))
