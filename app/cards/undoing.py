"""Undoing what stamps and thresholds had brought: full cards and gifts whose reward nobody has used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import RewardIssue
from app.ledger.accounts import OpenAccount
from app.ledger.models import Account, LedgerEntry
from app.rewards import service as rewards
from app.rewards.models import Coupon, GiftCard

ISSUE = "issue"  # source of what a rule or a threshold gave


@dataclass(frozen=True)
class _Fill:
    entry_id: int
    amount: int
    version_id: int | None


def undo_fills(session: Session, account: OpenAccount, member_id: int) -> int:
    """While the account is in debt, open the newest full card whose reward is unused; return how many were opened.

    Source: docs/decisions/0003.
    """
    undone = 0
    fills = _open_fills(session, account, member_id)
    while account.balance < 0 and (fill := next(fills, None)):
        undone += _undo(session, account, fill)
    return undone


def _open_fills(session: Session, account: OpenAccount, member_id: int) -> Iterator[_Fill]:
    """Read, when the first is asked for, the fills whose reward nobody has used, the newest first."""
    unused = (
        (Coupon, Coupon.state.in_(rewards.UNUSED)),
        (GiftCard, (GiftCard.state == "active") & (GiftCard.balance_cents == GiftCard.initial_cents)),
    )
    found = [
        _Fill(*row)
        for table, open_still in unused
        for row in session.execute(
            select(LedgerEntry.id, LedgerEntry.amount, LedgerEntry.version_id)
            .join(table, LedgerEntry.id == table.source_id)
            .join(Account, Account.id == LedgerEntry.account_id)  # a merged member's own account may have filled it
            .where(
                table.member_id == member_id, table.source_kind == "fill", open_still,
                Account.program_id == account.program_id,
            )
        ).all()
    ]  # fmt: skip
    yield from sorted(found, key=lambda fill: -fill.entry_id)


def _undo(session: Session, account: OpenAccount, fill: _Fill) -> bool:
    """Put a fill's stamps back; False where its reward was used meanwhile: then the debt stays."""
    if not rewards.take_back(session, source_kind="fill", source_id=fill.entry_id):
        return False
    account.put_back("fill_undo", -fill.amount, version_id=fill.version_id, reason="refund", reverses_id=fill.entry_id)
    return True


def undo_gifts(session: Session, *, purchase_id: int, program_id: int, keep: Sequence[int]) -> None:
    """Take the unused rewards back that rules gave with a purchase, but for those that it still earns.

    Args:
        keep: ids of rewards, one for each that stays.
    """
    left = list(keep)
    given = session.execute(
        select(RewardIssue.id, RewardIssue.reward_id).where(
            RewardIssue.purchase_id == purchase_id,
            RewardIssue.program_id == program_id,
            RewardIssue.threshold.is_(None),
        )
    ).all()
    states = rewards.states(session, ISSUE, [row.id for row in given])
    for issue_id, reward_id in sorted(given):
        if states.get(issue_id) == "revoked":
            continue
        if reward_id in left:
            left.remove(reward_id)
        else:
            rewards.take_back(session, source_kind=ISSUE, source_id=issue_id)


def undo_thresholds(session: Session, account: OpenAccount, *, member_id: int, number: int) -> None:
    """Take the unused rewards of thresholds back that the balance has fallen below.

    Args:
        number: the round that the account is in now.
    """
    reached = session.execute(
        select(RewardIssue.id, RewardIssue.threshold, RewardIssue.round).where(
            RewardIssue.member_id == member_id,
            RewardIssue.program_id == account.program_id,
            RewardIssue.threshold.is_not(None),
        )
    ).all()
    for issue_id, threshold, round_number in reached:
        if round_number > number or (round_number == number and (threshold or 0) > account.balance):
            rewards.take_back(session, source_kind=ISSUE, source_id=issue_id)
