"""Undoing what stamps and thresholds had brought: full cards and gifts whose reward nobody has used."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import planning, reaching, tiers
from app.cards.events import progressed
from app.cards.granting import TRIGGER
from app.cards.models import Award, RewardIssue, TriggerRun
from app.cards.programs import ProgramInForce, of_version
from app.core import clock
from app.core.db import brand_of
from app.core.events import emit
from app.ledger import statements as sql
from app.ledger.accounts import OpenAccount
from app.ledger.models import Account, LedgerEntry
from app.members import lookup
from app.rewards import service as rewards
from app.rewards.models import Coupon, GiftCard

ISSUE = "issue"  # source of what a rule or a threshold gave


@dataclass(frozen=True)
class Booked:
    """What stands of an award: the first entry that gave it, what was given in all, and what refunds took of that.

    What the brand booked or took by judging a flag is part of what was given.
    """

    entry_id: int | None
    given: int
    taken: int
    expired: int

    @property
    def left(self) -> int:
        """Return what a member has had of it, or has: what ended unused is nobody's to give back."""
        return self.given - self.taken - self.expired


def expired_of(session: Session, entry_ids: Iterable[int]) -> int:
    """Return how many units of what some entries gave ended unused, in whatever account."""
    keys = {"brand_id": brand_of(session)}
    return sum(int(sql.EXPIRED_OF.run(session, {**keys, "entry_id": entry_id})[0][0]) for entry_id in entry_ids)


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
    return Booked(first, sum(given.values()), taken, expired_of(session, given))


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
    undo_reached(session, account, program, member_id=member_id)
    if program.plan.thresholds:
        number = planning.round_of(session, program, member_id)
        undo_thresholds(session, account, member_id=member_id, number=number)
    return entry_id, undone


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


def undo_reached(session: Session, account: OpenAccount, program: ProgramInForce, *, member_id: int) -> None:
    """Take back what rules gave for balances that are not reached without it, the newest first."""
    runs = reaching.runs_of(session, program.id, member_id)
    standing = [run for run in runs if run.taken_back_at is None and "at" in run.details]
    for run in sorted(standing, key=lambda run: -run.id):
        top = program.full_at or 0
        counted = (planning.round_of(session, program, member_id) * top if top else 0) + account.balance - run.amount
        number = int(run.source.split(":")[1])
        if counted < number * top + int(run.details["at"]):
            undo_run(session, run, account, member_id=member_id)


def undo_run(session: Session, run: TriggerRun, account: OpenAccount, *, member_id: int) -> bool:
    """Undo what a run gave, once: units, unused rewards, its tier. False where it was undone before."""
    ended = update(TriggerRun).where(TriggerRun.id == run.id, TriggerRun.taken_back_at.is_(None))
    if session.scalar(ended.values(taken_back_at=clock.now()).returning(TriggerRun.id)) is None:
        return False
    # Those of thresholds go with the balance.
    given = select(RewardIssue.id).where(RewardIssue.trigger_run_id == run.id, RewardIssue.threshold.is_(None))
    for issue_id in sorted(session.scalars(given)):
        rewards.take_back(session, source_kind=ISSUE, source_id=issue_id)
    entry_id = _entry_of(session, run, member_id) if run.amount else None
    amount = run.amount - expired_of(session, [entry_id] if entry_id else [])
    if amount > 0:
        taken_by, _undone = take_back(
            session, account, amount, kind="reverse_earn", member_id=member_id, version_id=run.version_id,
            rule=run.rule, reason="taken_back", reverses_id=entry_id, purchase_id=None, source_kind=TRIGGER,
            source_id=run.id,
        )  # fmt: skip
        change = progressed(
            member_id=member_id, program_id=run.program_id, amount=-amount, purchase_id=None, entry_id=taken_by
        )
        emit(session, change)
    tiers.after_taking_back(session, member_id=member_id, trigger_run_id=run.id)
    return True


def _entry_of(session: Session, run: TriggerRun, member_id: int) -> int | None:
    """Return the entry that gave what a run gave; a merged member's own account may have it."""
    accounts = select(Account.id).where(
        Account.member_id.in_(lookup.family(session, member_id)), Account.program_id == run.program_id
    )
    entry = select(LedgerEntry.id).where(
        LedgerEntry.account_id.in_(accounts), LedgerEntry.kind == "earn", LedgerEntry.source_kind == TRIGGER,
        LedgerEntry.source_id == run.id,
    )  # fmt: skip
    return session.scalar(entry)
