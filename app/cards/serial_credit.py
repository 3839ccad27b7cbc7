"""What a serial card gives back for the speed of its use: into the member's bonus, else onto a gift card."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.events import progressed
from app.cards.programs import ProgramInForce, in_force
from app.cards.serial_models import SerialCard, SerialUse
from app.core import clock
from app.core.events import emit
from app.ledger.accounts import OpenAccount, Terms
from app.ledger.models import Account, LedgerEntry
from app.network.service import zone
from app.rewards import service as rewards
from app.rewards.models import GiftCard

Accounts = dict[int, OpenAccount]
SOURCE = "serial_use"


def bonus_program(session: Session) -> ProgramInForce | None:
    """Return the brand's first bonus, where credit can be spent as money; None where it has none."""
    return next((program for program in in_force(session, clock.now()) if program.kind == "bonus"), None)


def give(session: Session, card: SerialCard, row: SerialUse, accounts: Accounts, *, program: ProgramInForce) -> None:
    """Give the credit of the step that the days of a card's uses fall within, less what the card owes.

    Args:
        row: the use that was the last one.
        program: of the card's version.
    """
    uses = session.execute(
        select(SerialUse.local_date, SerialUse.uses).where(
            SerialUse.card_id == card.id, SerialUse.reversed_at.is_(None)
        )
    )
    days = [day for day, count in uses for _use in range(count)]
    credit = rules.serial_credit(program.plan, days)
    row.offset_cents = min(credit, card.owed_cents)
    row.credit_cents = credit - row.offset_cents
    card.owed_cents -= row.offset_cents
    if row.credit_cents:
        _pay(session, card, row, accounts)
    session.flush()


def _pay(session: Session, card: SerialCard, row: SerialUse, accounts: Accounts) -> None:
    bonus = bonus_program(session)
    if bonus is None:
        view = rewards.issue_gift_card(
            session, cents=row.credit_cents, source_kind=SOURCE, source_id=row.id, at=row.occurred_at,
            member_id=card.member_id,
        )  # fmt: skip
        row.gift_card_id = view.card.id
        return
    months = bonus.plan.expires_after_months
    ends = rules.expiry(_local(session, row.occurred_at), months) if months is not None else None
    account = accounts[bonus.id]
    row.credit_entry_id = account.add(
        "earn", row.credit_cents, Terms(ends), version_id=bonus.version_id, source_kind=SOURCE, source_id=row.id
    )
    _tell(session, card, account, row.credit_cents, row.credit_entry_id)


def take_back(session: Session, card: SerialCard, accounts: Accounts) -> int:
    """Take the credit back that a card had brought: what is there of it, the rest is owed. Return the cents of it.

    Of a bonus the account bears the debt, of a gift card the card's next credit does.
    """
    brought = session.scalar(
        select(SerialUse).where(
            SerialUse.card_id == card.id,
            SerialUse.credit_back_at.is_(None),
            (SerialUse.credit_cents > 0) | (SerialUse.offset_cents > 0),
        )
    )
    if brought is None:
        return 0
    brought.credit_back_at = clock.now()
    card.owed_cents += brought.offset_cents
    if brought.credit_entry_id is not None:
        _take_bonus(session, card, brought, accounts)
    elif brought.gift_card_id is not None:
        gift = select(GiftCard).where(GiftCard.id == brought.gift_card_id).with_for_update()
        left = session.scalars(gift.execution_options(populate_existing=True)).one().balance_cents
        rewards.revoke_gift_card(session, brought.gift_card_id)
        card.owed_cents += brought.credit_cents - left
    session.flush()
    return brought.credit_cents


def _take_bonus(session: Session, card: SerialCard, brought: SerialUse, accounts: Accounts) -> None:
    entry = session.get_one(LedgerEntry, brought.credit_entry_id)
    bonus_id = session.get_one(Account, entry.account_id).program_id
    account = accounts[bonus_id]
    entry_id = account.take(
        "reverse_earn", brought.credit_cents, version_id=entry.version_id, reason="serial_use_back",
        reverses_id=entry.id, source_kind=SOURCE, source_id=brought.id,
    )  # fmt: skip
    _tell(session, card, account, -brought.credit_cents, entry_id)


def _tell(session: Session, card: SerialCard, account: OpenAccount, amount: int, entry_id: int) -> None:
    event = progressed(
        member_id=card.member_id, program_id=account.program_id, amount=amount, purchase_id=None, entry_id=entry_id
    )
    emit(session, event)


def _local(session: Session, at: datetime) -> datetime:
    return at.astimezone(zone(session))
