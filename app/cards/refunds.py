"""Taking a purchase back, whole or by lines: awards are evaluated again, fills undone, spends returned, debts stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.cards import expiry, planning, rules, tiers, undoing
from app.cards.events import progressed
from app.cards.models import Award, ProgramVersion
from app.cards.programs import of_version
from app.cards.returns import NotThatMuchLeft, Returned, returned, spent_before
from app.core import clock
from app.core.crypto import new_id
from app.core.db import brand_of
from app.core.events import emit
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.ledger import settling
from app.ledger import statements as sql
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import Account, LedgerEntry, Purchase, Refund, RefundLine, SettlementFact
from app.network.models import Till
from app.rewards import offers
from app.rewards import service as rewards
from app.rewards.models import Redemption


@dataclass(frozen=True)
class ReversedAward:
    """What a refund took in one program, and the balance afterwards: negative where a used coupon left a debt."""

    program_id: int
    amount: int
    balance: int
    fills_undone: int


@dataclass(frozen=True)
class RefundResult:
    """The answer to a till: `paid_cents` goes back to the customer, `spent_cents` to the card."""

    public_id: str
    purchase: Purchase
    amount_cents: int
    paid_cents: int
    spent_cents: int
    reversed: list[ReversedAward] = field(default_factory=list)
    coupons_returned: int = 0
    repeated: bool = False


@dataclass(frozen=True)
class _Booking:
    """What the steps of one refund share."""

    session: Session
    purchase: Purchase
    member_id: int
    back: Returned
    accounts: dict[int, OpenAccount]
    till: Till
    refund_id: int
    at: datetime
    tiers: list[str] = field(default_factory=list)  # that what is left still sets


def refund(
    session: Session, purchase: Purchase, *, till: Till, lines: Mapping[int, int] | None = None,
    at: datetime | None = None,
) -> RefundResult:  # fmt: skip
    """Take back all that is left of a purchase, or some items. A whole refund twice changes nothing: the first answers.

    Args:
        lines: line number → how many items come back; None for all that is left.
        at: when an offline till did it, never before the purchase; now, where it is not given.

    Raises:
        LineUnknown, NotThatMuchLeft: there are no such items.

    Source: earning.md, "Refunds and corrections".
    """
    now = max(at or clock.now(), purchase.occurred_at)
    member_id = ledger.hold_member(session, purchase.member_id)
    context = {"occurred_at": now, "till_id": till.id, "outlet_id": till.outlet_id, "purchase_id": purchase.id}
    awards = sorted(session.scalars(select(Award).where(Award.purchase_id == purchase.id)), key=lambda award: award.id)
    spends = _spends(session, purchase)
    touched = [award.program_id for award in awards if award.amount] + [program_id for program_id, *_rest in spends]
    accounts = open_accounts(session, member_id=member_id, program_ids=touched, context={})
    first = _first_whole(session, purchase)
    if first is not None:
        if lines is None:
            return _again(session, purchase, first)
        raise NotThatMuchLeft(_("This purchase was taken back."), left=0)
    expiry.end_over(session, accounts, member_id=member_id, context=context)
    rewards.hold_given(session, member_id=member_id, purchase_id=purchase.id)
    back = returned(session, purchase, lines)
    given = spent_before(session, purchase)
    public_id, refund_id = _write(session, purchase, back, till=till, at=now)
    if refund_id is None:
        return _again(session, purchase, _demand_whole(session, purchase))
    for account in accounts.values():
        account.context["refund_id"] = refund_id
    booking = _Booking(session, purchase, member_id, back, accounts, till, refund_id, now)
    _return_spends(booking, spends, given)
    taken = [line for award in awards if (line := _reverse(booking, award)) is not None]
    came_back = {line.line_id: line.quantity for line in back.lines}
    offers.take_back(session, purchase_id=purchase.id, refund_id=refund_id, back=came_back, till=till, at=now)
    tiers.after_refund(session, member_id=member_id, purchase_id=purchase.id, refund_id=refund_id, kept=booking.tiers)
    coupons = rewards.give_back(session, purchase_id=purchase.id, at=now) if back.whole else 0
    if not back.whole:
        parts = [(line.number, line.bought, line.gone, line.quantity) for line in back.lines]
        rewards.take_discounts_back(session, parts, purchase_id=purchase.id, refund_id=refund_id, till=till, at=now)
    return RefundResult(public_id, purchase, back.amount_cents, back.paid_cents, back.spent_cents, taken, coupons)


def _first_whole(session: Session, purchase: Purchase) -> Refund | None:
    """Hold the purchase, so that refunds of it come one by one, and return the one that took all, if it was."""
    session.execute(select(Purchase.id).where(Purchase.id == purchase.id).with_for_update())
    return session.scalar(select(Refund).where(Refund.purchase_id == purchase.id, Refund.whole))


def _demand_whole(session: Session, purchase: Purchase) -> Refund:
    return session.scalars(select(Refund).where(Refund.purchase_id == purchase.id, Refund.whole)).one()


def _write(session: Session, purchase: Purchase, back: Returned, *, till: Till, at: datetime) -> tuple[str, int | None]:
    """Write the refund and its lines; the id is None when another whole one stands already."""
    now = clock.now()
    values = {
        "brand_id": brand_of(session),
        "public_id": new_id(now),
        "purchase_id": purchase.id,
        "till_id": till.id,
        "amount_cents": back.amount_cents,
        "paid_cents": back.paid_cents,
        "whole": back.whole,
        "occurred_at": at,
        "recorded_at": now,
    }
    refund_id = session.connection().execute(sql.INSERT_REFUND, values).scalar()
    if refund_id is not None:
        session.add_all(
            RefundLine(
                refund_id=refund_id, line_id=line.line_id, quantity=line.quantity, discount_cents=line.discount_cents,
                spent_cents=line.spent_cents, paid_cents=line.paid_cents,
            )
            for line in back.lines
        )  # fmt: skip
        session.flush()
    return str(values["public_id"]), refund_id


def _spends(session: Session, purchase: Purchase) -> list[tuple[int, int, int, int | None]]:
    """Return program, entry, cents and version of each spend of a purchase, in their order."""
    rows = session.execute(
        select(Account.program_id, LedgerEntry.id, LedgerEntry.amount, LedgerEntry.version_id)
        .join(Account, Account.id == LedgerEntry.account_id)
        .where(LedgerEntry.purchase_id == purchase.id, LedgerEntry.kind == "spend")
    )
    return [
        (program, entry, -amount, version) for program, entry, amount, version in sorted(rows, key=lambda row: row[1])
    ]


def _return_spends(booking: _Booking, spends: list[tuple[int, int, int, int | None]], given: int) -> None:
    """Put back what this refund returns: bonus in the order of its spends, behind what came back before; gift cards."""
    start, end = given, given + booking.back.spent_cents
    place, rest = 0, booking.back.spent_cents
    for program_id, spend_id, cents, version_id in spends:
        part = min(end, place + cents) - max(start, place)
        place += cents
        if part <= 0:
            continue
        rest -= part
        account = booking.accounts[program_id]
        entry_id = account.put_back("reverse_spend", part, reverses_id=spend_id, version_id=version_id, reason="refund")
        settling.reverse(
            booking.session, source_kind="ledger_entry", source_id=spend_id, cents=part, till=booking.till,
            at=booking.at, refund_id=booking.refund_id,
        )  # fmt: skip
        _tell(booking, program_id, part, entry_id)
    if rest:
        rewards.give_back_to_gift_cards(
            booking.session, purchase_id=booking.purchase.id, till=booking.till, refund_id=booking.refund_id,
            cents=rest, at=booking.at,
        )  # fmt: skip


def _reverse(booking: _Booking, award: Award) -> ReversedAward | None:
    """Evaluate an award again over what is left, and take the difference."""
    session, back = booking.session, booking.back
    outcome = _left_over(session, award, back)
    booking.tiers.extend([outcome.tier] if outcome.tier else [])
    keep = planning.reward_ids(session, outcome.issues)
    undoing.undo_gifts(session, purchase_id=award.purchase_id, program_id=award.program_id, keep=keep)
    stands = undoing.booked(session, award)
    amount = stands.left - min(outcome.amount, stands.given)
    if amount <= 0:
        return None
    account = booking.accounts[award.program_id]
    entry_id, undone = undoing.take_back(
        session, account, amount, kind="reverse_earn", member_id=booking.member_id, version_id=award.version_id,
        rule=award.rule, reason="refund", reverses_id=stands.entry_id,
    )  # fmt: skip
    _tell(booking, award.program_id, -amount, entry_id)
    return ReversedAward(award.program_id, -amount, account.balance, undone)


def _left_over(session: Session, award: Award, back: Returned) -> rules.Outcome:
    """Return what the rest of the purchase earns under the version and the facts of its day."""
    if back.whole or not award.facts:
        return rules.Outcome()
    facts = rules.facts_from_json(award.facts, due_cents=back.due_left_cents, lines=back.lines_left)
    return rules.evaluate(of_version(session, award.version_id).plan, facts)


def _tell(booking: _Booking, program_id: int, amount: int, entry_id: int) -> None:
    emit(
        booking.session,
        progressed(
            member_id=booking.member_id, program_id=program_id, amount=amount, purchase_id=booking.purchase.id,
            entry_id=entry_id,
        ),
    )  # fmt: skip


def _last(entries: Sequence[LedgerEntry], account_id: int) -> int:
    return [entry.balance for entry in entries if entry.account_id == account_id][-1]


def _of_spends(refund: Refund) -> tuple[ColumnElement[bool], ...]:
    return SettlementFact.refund_id == refund.id, SettlementFact.kind.in_(("bonus_spent", "gift_card_used"))


def _again(session: Session, purchase: Purchase, first: Refund) -> RefundResult:
    """Return what the refund that took all did, from the entries it left."""
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.refund_id == first.id).order_by(LedgerEntry.id)
    ).all()
    taken = []
    for entry in entries:
        if entry.kind != "reverse_earn" or entry.source_kind is not None:  # what a balance had set off went with it
            continue
        undone = [other for other in entries if other.kind == "fill_undo" and other.account_id == entry.account_id]
        program_id = session.scalars(
            select(ProgramVersion.program_id).where(ProgramVersion.id == entry.version_id)
        ).one()
        taken.append(
            ReversedAward(program_id, entry.amount + entry.pending, _last(entries, entry.account_id), len(undone))
        )
    spent = -(session.scalar(select(func.sum(SettlementFact.cents)).where(*_of_spends(first))) or 0)
    came_back = select(func.count(Redemption.id)).where(
        Redemption.purchase_id == purchase.id, Redemption.reversed_at.is_not(None)
    )
    returned_coupons = session.scalar(came_back) or 0
    return RefundResult(
        first.public_id, purchase, first.amount_cents, first.paid_cents, spent, taken, returned_coupons, repeated=True
    )
