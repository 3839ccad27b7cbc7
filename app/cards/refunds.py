"""Taking a purchase back: awards are reversed, fills undone where the coupon is still unused, debts stay."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.events import progressed
from app.cards.models import Award, ProgramVersion
from app.core import clock
from app.core.crypto import new_id
from app.core.db import brand_of
from app.core.events import emit
from app.ledger import service as ledger
from app.ledger import statements as sql
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Redemption


@dataclass(frozen=True)
class ReversedAward:
    """What a refund took in one program, and the balance afterwards: negative where a used coupon left a debt."""

    program_id: int
    amount: int
    balance: int
    fills_undone: int


@dataclass(frozen=True)
class RefundResult:
    """The answer to a till."""

    public_id: str
    purchase: Purchase
    amount_cents: int
    reversed: list[ReversedAward] = field(default_factory=list)
    coupons_returned: int = 0
    repeated: bool = False


def refund(session: Session, purchase: Purchase, *, till: Till) -> RefundResult:
    """Take a whole purchase back. The same refund twice changes nothing and returns the first.

    Source: earning.md, "Refunds and corrections".
    """
    now = clock.now()
    member_id = ledger.hold_member(session, purchase.member_id)
    context = {"occurred_at": now, "till_id": till.id, "outlet_id": till.outlet_id, "purchase_id": purchase.id}
    earned = session.scalars(select(Award).where(Award.purchase_id == purchase.id, Award.amount > 0))
    awards = sorted(earned, key=lambda award: award.id)
    programs = [award.program_id for award in awards]
    accounts = open_accounts(session, member_id=member_id, program_ids=programs, context=context)
    values = {
        "brand_id": brand_of(session),
        "public_id": new_id(now),
        "purchase_id": purchase.id,
        "till_id": till.id,
        "amount_cents": purchase.total_cents,
        "paid_cents": purchase.due_cents,
        "whole": True,
        "occurred_at": now,
        "recorded_at": now,
    }
    refund_id = session.connection().execute(sql.INSERT_REFUND, values).scalar()
    if refund_id is None:
        return _again(session, purchase)
    taken = []
    for award in awards:
        account = accounts[award.program_id]
        account.context["refund_id"] = refund_id
        taken.append(_reverse(session, award, account, member_id))
    returned = rewards.give_back(session, purchase_id=purchase.id)
    return RefundResult(str(values["public_id"]), purchase, purchase.total_cents, taken, returned)


def _reverse(session: Session, award: Award, account: OpenAccount, member_id: int) -> ReversedAward:
    earned = select(LedgerEntry.id).where(
        LedgerEntry.purchase_id == award.purchase_id,
        LedgerEntry.kind == "earn",
        LedgerEntry.version_id == award.version_id,
    )
    entry_id = account.take(
        "reverse_earn", award.amount, version_id=award.version_id, rule=award.rule, reason="refund",
        reverses_id=session.scalars(earned).one(),
    )  # fmt: skip
    undone = 0
    fills = _open_fills(session, account, member_id)
    while account.balance < 0 and (fill := next(fills, None)):
        undone += _undo(session, account, fill)
    emit(
        session,
        progressed(
            member_id=member_id,
            program_id=award.program_id,
            amount=-award.amount,
            purchase_id=award.purchase_id,
            entry_id=entry_id,
        ),
    )
    return ReversedAward(award.program_id, -award.amount, account.balance, undone)


@dataclass(frozen=True)
class _Fill:
    coupon_id: int
    entry_id: int
    amount: int
    version_id: int | None


def _open_fills(session: Session, account: OpenAccount, member_id: int) -> Iterator[_Fill]:
    """Read, when the first is asked for, the fills whose coupon nobody has used, the newest first."""
    query = (
        select(Coupon.id, LedgerEntry.id, LedgerEntry.amount, LedgerEntry.version_id)
        .join(LedgerEntry, LedgerEntry.id == Coupon.source_id)
        .join(Account, Account.id == LedgerEntry.account_id)  # a merged member's own account may have filled it
        .where(
            Coupon.member_id == member_id,
            Coupon.source_kind == "fill",
            Coupon.state.in_(rewards.UNUSED),
            Account.program_id == account.program_id,
        )
        .order_by(Coupon.id.desc())
    )
    for row in session.execute(query).all():
        yield _Fill(*row)


def _undo(session: Session, account: OpenAccount, fill: _Fill) -> bool:
    """Put a fill's stamps back; False where its coupon was used meanwhile: then the debt stays."""
    if not rewards.revoke(session, fill.coupon_id):
        return False
    account.put_back("fill_undo", -fill.amount, version_id=fill.version_id, reason="refund", reverses_id=fill.entry_id)
    return True


def _again(session: Session, purchase: Purchase) -> RefundResult:
    """Return what the first refund of a purchase did, from the entries it left."""
    first = session.scalars(select(Refund).where(Refund.purchase_id == purchase.id)).one()
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.refund_id == first.id).order_by(LedgerEntry.id)
    ).all()
    taken = []
    for entry in entries:
        if entry.kind != "reverse_earn":
            continue
        undone = [other for other in entries if other.kind == "fill_undo" and other.account_id == entry.account_id]
        program_id = session.scalars(
            select(ProgramVersion.program_id).where(ProgramVersion.id == entry.version_id)
        ).one()
        taken.append(
            ReversedAward(program_id, entry.amount, undone[-1].balance if undone else entry.balance, len(undone))
        )
    came_back = select(func.count(Redemption.id)).where(
        Redemption.purchase_id == purchase.id, Redemption.reversed_at.is_not(None)
    )
    returned = session.scalar(came_back) or 0
    return RefundResult(first.public_id, purchase, first.amount_cents, taken, returned, repeated=True)
