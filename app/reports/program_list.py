"""Figures of programs for the console's list: who holds something, and what was issued."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.models import RewardIssue
from app.ledger.models import Account, LedgerEntry
from app.rewards.models import Coupon, GiftCard


@dataclass(frozen=True)
class Figures:
    """Members who hold something in a program, and coupons and gift cards that it issued so far."""

    members: int
    issued: int


def figures(session: Session) -> dict[int, Figures]:
    """Return the figures of each program by its id; a program without any is not there."""
    holding = select(Account.program_id, func.count(Account.id)).where((Account.balance > 0) | (Account.pending > 0))
    members = dict(session.execute(holding.group_by(Account.program_id)).all())
    issued: Counter[int] = Counter()
    for table in (Coupon, GiftCard):
        by_fill = (
            select(Account.program_id, func.count(table.id))
            .join(LedgerEntry, LedgerEntry.id == table.source_id)
            .join(Account, Account.id == LedgerEntry.account_id)
            .where(table.source_kind == "fill")
            .group_by(Account.program_id)
        )
        issued.update(dict(session.execute(by_fill).all()))
    by_rule = select(RewardIssue.program_id, func.count(RewardIssue.id)).group_by(RewardIssue.program_id)
    issued.update(dict(session.execute(by_rule).all()))
    return {program: Figures(members.get(program, 0), issued[program]) for program in {*members, *issued}}
