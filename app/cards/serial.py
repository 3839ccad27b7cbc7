"""Serial cards: sold at a till, used one by one, taken back. The outlet of a use is paid its share of the price.

All of it happens under the lock of the member's accounts. Source: earning.md, "Programs" and "Settlement".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import rules, serial_credit
from app.cards import serial_parts as parts
from app.cards.expiry import EXPIRED
from app.cards.programs import ProgramInForce, of_version
from app.cards.serial_models import SerialCard, SerialUse
from app.cards.serial_parts import (
    ProgramNotSerial,
    SerialCardSoldLater,
    SerialCardTouched,
    SerialCardUnknown,
    SerialPriceWrong,
    SerialUseUnknown,
    UsesTooFew,
)
from app.core import clock
from app.core.db import brand_of, inserting
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.ledger import settling
from app.ledger.accounts import OpenAccount, Terms
from app.ledger.models import Lot
from app.ledger.service import Basket, ReceiptKnown
from app.members.models import Member
from app.network.models import Till
from app.network.service import zone

__all__ = [
    "ProgramNotSerial", "Refunded", "Reversed", "SerialCardSoldLater", "SerialCardTouched", "SerialCardUnknown",
    "SerialPriceWrong", "SerialUseUnknown", "Sold", "Used", "UsesTooFew", "move", "refund", "reverse", "sell", "use",
]  # fmt: skip


@dataclass(frozen=True)
class Sold:
    """A card that was sold, and how many uses its member has in this program now."""

    card: SerialCard
    balance: int


@dataclass(frozen=True)
class Used:
    """Uses of one call, a row for each card that they came from; `balance` is what is left in the program."""

    rows: Sequence[tuple[SerialUse, SerialCard]]
    balance: int


@dataclass(frozen=True)
class Reversed:
    """A use that was taken back, now or (`repeated`) before."""

    use: SerialUse
    card: SerialCard
    balance: int
    credit_taken_cents: int
    repeated: bool


@dataclass(frozen=True)
class Refunded:
    """A card that was taken back, now or (`repeated`) before."""

    card: SerialCard
    repeated: bool


def sell(
    session: Session,
    slug: str,
    *,
    member: Member,
    till: Till,
    receipt: str,
    at: datetime,
    took_cents: int | None = None,
    cashier: str | None = None,
) -> Sold:
    """Sell a serial card: the outlet takes the price in and owes it, the member has the uses.

    Args:
        slug: of the program.
        member: a merged one is followed to the member it became.
        at: when it was sold; it picks the version, and the card holds to the end of the Nth month after it.
        took_cents: what the till says that it took in, where it says so.
        cashier: public id of staff.

    Raises:
        ProgramUnknown, ProgramNotSerial, SerialPriceWrong: as they say.
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid: the sale cannot be true.
        ReceiptKnown: this till sold a card by this receipt on this day.
    """
    program = parts.demand_program(session, slug, at)
    price, uses = program.plan.price_cents or 0, program.plan.uses or 0
    if took_cents not in (None, price):
        message = _("This card costs %(price)s.", price=format_cents(price))
        raise SerialPriceWrong(message, program=slug, price_cents=price)
    ledger.check(Basket(price, receipt, at))
    member_id = ledger.hold_member(session, member.id)
    account = parts.open_all(session, program, member_id, till=till, at=at, cashier=cashier)[program.id]
    local = at.astimezone(zone(session))
    expires_at = rules.expiry(local, program.plan.valid_months or 0)
    values = {
        "member_id": member_id, "program_id": program.id, "version_id": program.version_id, "till_id": till.id,
        "outlet_id": till.outlet_id, "receipt": receipt.strip(), "cashier": cashier, "local_date": local.date(),
        "price_cents": price, "uses": uses, "sold_at": at, "recorded_at": clock.now(), "expires_at": expires_at,
    }  # fmt: skip
    new = inserting(session)(SerialCard).values(brand_id=brand_of(session), **values)
    card_id = session.execute(new.on_conflict_do_nothing().returning(SerialCard.id)).scalar()
    if card_id is None:
        raise ReceiptKnown(_("This receipt has been recorded already."), receipt=receipt)
    entry_id = account.add(
        "earn", uses, Terms(expires_at), version_id=program.version_id, source_kind=parts.CARD, source_id=card_id
    )
    card = session.get_one(SerialCard, card_id)
    card.entry_id = entry_id
    session.flush()
    parts.freeze(session, program, "serial_card_sold", -price, (parts.CARD, card_id), till=till, at=at)
    parts.tell(session, account, member_id, uses, entry_id)
    return Sold(card, account.balance)


def use(session: Session, slug: str, *, member_id: int, till: Till, uses: int = 1, at: datetime | None = None) -> Used:
    """Use some of a member's uses, those that expire soonest first; each is paid its share of its card's price.

    The shares of a card's uses sum to its price to the cent: each is what the price comes to by then, rounded half up,
    less what was settled before. The last use of a card brings the credit of the step that its days fall within.

    Args:
        uses: 1 or more.
        at: when they were used; now, where it is not given. A card that is over since works while nobody has ended it.

    Raises:
        ProgramUnknown, ProgramNotSerial: as they say.
        UsesTooFew: the member has less.
        SerialCardSoldLater: the member had less at that moment.
        ValueError: nothing would be used; a mistake of the caller.
    """
    if uses < 1:
        raise ValueError("a use takes something")
    moment = at or clock.now()
    program = parts.demand_program(session, slug, moment)
    member_id = ledger.hold_member(session, member_id)
    accounts = parts.open_all(session, program, member_id, till=till, at=moment)
    account = accounts[program.id]
    _end_what_is_over(account, program, at=moment)
    cards = parts.sold_by(moment, _usable(session, account, member_id, at=moment), uses)
    rows: list[tuple[SerialUse, SerialCard]] = []
    for card in cards:
        part = min(card.left, uses - sum(row.uses for row, _card in rows))
        if part:
            rows.append((_use(session, account, card, part, till=till, at=moment), card))
    parts.tell(session, account, member_id, -uses, rows[-1][0].entry_id)
    for row, card in rows:
        if card.used == card.uses:
            serial_credit.give(session, card, row, accounts, program=of_version(session, card.version_id))
    return Used(rows, account.balance)


def reverse(session: Session, public_id: str, *, till: Till) -> Reversed:
    """Take uses back that were made at this outlet: the member has them again, the outlet is not paid.

    Where the card had brought its credit, that goes too: what was spent of it is a debt. A second reversal changes
    nothing and says `repeated`. Uses of a card that has expired meanwhile are good for some days of grace.

    Raises:
        SerialUseUnknown: there are none, or another outlet made them.
    """
    row = session.scalar(
        select(SerialUse).where(SerialUse.public_id == public_id, SerialUse.outlet_id == till.outlet_id)
    )
    if row is None:
        raise SerialUseUnknown(_("There is no such use at this outlet."))
    now = clock.now()
    member_id = ledger.hold_member(session, session.get_one(SerialCard, row.card_id).member_id)
    program = of_version(session, session.get_one(SerialCard, row.card_id).version_id)
    accounts = parts.open_all(session, program, member_id, till=till, at=now)
    account = accounts[program.id]
    card = session.get_one(SerialCard, row.card_id, populate_existing=True)
    session.refresh(row)
    if row.reversed_at is not None:
        return Reversed(row, card, account.balance, 0, True)
    entry_id = account.put_back("reverse_spend", row.uses, reverses_id=row.entry_id, version_id=card.version_id)
    _revive(session, card, entry_id, now=now)
    taken = serial_credit.take_back(session, card, accounts)
    card.used -= row.uses
    card.frozen_cents -= row.share_cents
    row.reversed_at = now
    session.flush()
    settling.reverse(session, source_kind=parts.USE, source_id=row.id, cents=row.share_cents, till=till, at=now)
    parts.tell(session, account, member_id, row.uses, entry_id)
    return Reversed(row, card, account.balance, taken, False)


def refund(session: Session, public_id: str, *, till: Till) -> Refunded:
    """Take a card back that this outlet sold, while nothing of it is used; a second refund changes nothing.

    Raises:
        SerialCardUnknown: there is none, or another outlet sold it.
        SerialCardTouched: it was used, or has expired.
    """
    wanted = select(SerialCard).where(SerialCard.public_id == public_id, SerialCard.outlet_id == till.outlet_id)
    card = session.scalar(wanted)
    if card is None:
        raise SerialCardUnknown(_("This outlet has not sold such a card."))
    now, program = clock.now(), of_version(session, card.version_id)
    member_id = ledger.hold_member(session, card.member_id)
    account = parts.open_all(session, program, member_id, till=till, at=now)[program.id]
    session.refresh(card)
    if card.refunded_at is not None:
        return Refunded(card, True)
    if card.used or card.lost or card.expires_at <= now:
        raise SerialCardTouched(_("This card was used or has expired."), used=card.used)
    entry_id = account.take(
        "reverse_earn", card.uses, of=card.expires_at, version_id=card.version_id, reason="refund",
        reverses_id=card.entry_id, source_kind=parts.CARD, source_id=card.id,
    )  # fmt: skip
    card.refunded_at = now
    session.flush()
    settling.reverse(session, source_kind=parts.CARD, source_id=card.id, cents=card.price_cents, till=till, at=now)
    parts.tell(session, account, member_id, -card.uses, entry_id)
    return Refunded(card, False)


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's cards to the member it became."""
    session.execute(update(SerialCard).where(SerialCard.member_id == member_id).values(member_id=into_id))


def _usable(session: Session, account: OpenAccount, member_id: int, *, at: datetime) -> list[SerialCard]:
    """Return the cards with uses left at a moment, in the order in which the ledger uses their lots."""
    mine = (
        select(SerialCard)
        .where(
            SerialCard.member_id == member_id,
            SerialCard.program_id == account.program_id,
            SerialCard.refunded_at.is_(None),
            SerialCard.expires_at > at,
        )
        .execution_options(populate_existing=True)
    )
    cards = sorted(session.scalars(mine), key=lambda card: (card.expires_at, card.id))
    now, open_still = clock.now(), {lot.expires_at for lot in account.lots()}
    return [card for card in cards if card.left and (card.expires_at > now or card.expires_at in open_still)]


def _use(session: Session, account: OpenAccount, card: SerialCard, uses: int, *, till: Till, at: datetime) -> SerialUse:
    entry_id = account.spend(
        "spend", uses, of=card.expires_at, version_id=card.version_id, source_kind=parts.CARD, source_id=card.id
    )
    card.used += uses
    share = rules.use_share(card.price_cents, card.uses, used=card.used, settled_cents=card.frozen_cents)
    card.frozen_cents += share
    row = SerialUse(
        card_id=card.id, entry_id=entry_id, till_id=till.id, outlet_id=till.outlet_id, uses=uses, share_cents=share,
        local_date=at.astimezone(zone(session)).date(), occurred_at=at, recorded_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    program = of_version(session, card.version_id)
    parts.freeze(session, program, "serial_card_used", share, (parts.USE, row.id), till=till, at=at)
    return row


def _revive(session: Session, card: SerialCard, entry_id: int, *, now: datetime) -> None:
    """Let what comes back to a card that has expired live on alone for the days of grace."""
    if card.expires_at > now:
        return
    until = session.scalar(select(Lot.expires_at).where(Lot.entry_id == entry_id).limit(1))
    if until is not None:
        card.lost, card.expires_at = card.uses - card.used, until


def _end_what_is_over(account: OpenAccount, program: ProgramInForce, *, at: datetime) -> None:
    """End lots whose time was over at a moment before the job does, so that no use is taken out of them."""
    for lot in account.lots():
        if lot.expires_at is not None and lot.expires_at <= at:
            account.end_lot(lot, occurred_at=lot.expires_at, version_id=program.version_id, reason=EXPIRED)
