"""Undoing what stamps and thresholds had brought: full cards and gifts whose coupon nobody has used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import planning
from app.cards.models import Award, RewardIssue
from app.cards.programs import of_version
from app.ledger.accounts import OpenAccount
from app.ledger.models import Account, LedgerEntry
from app.rewards import service as rewards
from app.rewards.models import Coupon


@dataclass(frozen=True)
class Booked:
    """What stands of an award: the first entry that gave it, what was given in all, and what refunds took of that.

    What the brand booked or took by judging a flag is part of what was given.
    """

    entry_id: int | None
    given: int
    taken: int


def booked(session: Session, award: Award) -> Booked:
    """Return what stands of an award of a purchase."""
    rows = session.execute(
        select(LedgerEntry.id, LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.pending).where(
            LedgerEntry.purchase_id == award.purchase_id,
            LedgerEntry.version_id == award.version_id,
            LedgerEntry.kind.in_(("earn", "adjust", "reverse_earn")),
        )
    ).all()
    given = {row.id: row.amount + row.pending for row in rows if row.kind != "reverse_earn"}
    first = min((entry_id for entry_id, amount in given.items() if amount > 0), default=None)
    taken = -sum(row.amount + row.pending for row in rows if row.kind == "reverse_earn")
    return Booked(first, sum(given.values()), taken)


def take_back(
    session: Session, account: OpenAccount, amount: int, *, kind: str, member_id: int, version_id: int, **why: Any
) -> tuple[int, int]:
    """Take units out of an account, and undo the full cards and thresholds that only they had reached.

    Returns:
        the entry, and how many full cards were opened again.
    """
    entry_id = account.take(kind, amount, version_id=version_id, **why)
    undone = undo_fills(session, account, member_id)
    program = of_version(session, version_id)
    if program.plan.thresholds:
        number = planning.round_of(session, program, member_id)
        undo_thresholds(session, account, member_id=member_id, number=number)
    return entry_id, undone


@dataclass(frozen=True)
class _Fill:
    coupon_id: int
    entry_id: int
    amount: int
    version_id: int | None


def undo_fills(session: Session, account: OpenAccount, member_id: int) -> int:
    """While the account is in debt, open the newest full card whose coupon is unused; return how many were opened.

    Source: docs/decisions/0003.
    """
    undone = 0
    fills = _open_fills(session, account, member_id)
    while account.balance < 0 and (fill := next(fills, None)):
        undone += _undo(session, account, fill)
    return undone


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


def undo_gifts(session: Session, *, purchase_id: int, program_id: int, keep: Sequence[int]) -> None:
    """Revoke the unused coupons that rules gave with a purchase, but for the rewards that it still earns.

    Args:
        keep: ids of rewards, one for each coupon that stays.
    """
    left = list(keep)
    given = (
        select(RewardIssue.reward_id, Coupon.id)
        .join(Coupon, (Coupon.source_id == RewardIssue.id) & (Coupon.source_kind == "issue"))
        .where(
            RewardIssue.purchase_id == purchase_id,
            RewardIssue.program_id == program_id,
            RewardIssue.threshold.is_(None),
            Coupon.state != "revoked",
        )
        .order_by(RewardIssue.id)
    )
    for reward_id, coupon_id in session.execute(given).all():
        if reward_id in left:
            left.remove(reward_id)
        else:
            rewards.revoke(session, coupon_id)


def undo_thresholds(session: Session, account: OpenAccount, *, member_id: int, number: int) -> None:
    """Revoke the unused coupons of thresholds that the balance has fallen below.

    Args:
        number: the round that the account is in now.
    """
    reached = (
        select(RewardIssue.threshold, RewardIssue.round, Coupon.id)
        .join(Coupon, (Coupon.source_id == RewardIssue.id) & (Coupon.source_kind == "issue"))
        .where(
            RewardIssue.member_id == member_id,
            RewardIssue.program_id == account.program_id,
            RewardIssue.threshold.is_not(None),
            Coupon.state.in_(rewards.UNUSED),
        )
    )
    for threshold, round_number, coupon_id in session.execute(reached).all():
        if round_number > number or (round_number == number and (threshold or 0) > account.balance):
            rewards.revoke(session, coupon_id)
