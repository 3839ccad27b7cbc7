"""Booking a planned award: entries, full cards and gifts; also where staff, the brand or a rule gives beside a sale."""

from typing import Any

from sqlalchemy.orm import Session

from app.cards import planning
from app.cards.events import MessageAsked, progressed
from app.cards.models import RewardIssue
from app.cards.planning import AwardPlan, Gift
from app.cards.programs import ProgramInForce
from app.core import clock
from app.core.events import emit
from app.ledger.accounts import OpenAccount
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.service import Given


def grant(
    session: Session, award: AwardPlan, account: OpenAccount, *, kind: str, member_id: int,
    purchase_id: int | None = None, trigger_run_id: int | None = None, **why: Any,
) -> list[Given]:  # fmt: skip
    """Book what a plan gives: the entry, full cards, gifts, and the news of it; return the rewards.

    Args:
        kind: of the entry.
        why: what the entry says beside that: reason, approver, source_kind, source_id and so on.
    """
    line, program = award.line, award.line.program
    filled: list[Given] = []
    if line.amount:
        entry_id = account.add(kind, line.amount, award.terms, version_id=program.version_id, rule=line.rule, **why)
        fill(session, program, account, member_id, filled, line.filled, award.fill)
        emit(
            session,
            progressed(
                member_id=member_id, program_id=program.id, amount=line.amount, purchase_id=purchase_id,
                entry_id=entry_id,
            ),
        )  # fmt: skip
    gifts = [
        give(
            session, gift, program, account, member_id=member_id, purchase_id=purchase_id,
            trigger_run_id=trigger_run_id,
        )
        for gift in award.gifts
    ]  # fmt: skip
    return [*filled, *gifts]


def fill(
    session: Session,
    program: ProgramInForce,
    account: OpenAccount,
    member_id: int,
    given: list[Given],
    count: int,
    gift: Gift | None = None,
) -> None:
    """Empty a full card some times, a reward each; the surplus stays."""
    for _fill in range(count):
        entry_id = account.spend("fill", program.full_at or 0, version_id=program.version_id)
        reward_id = gift.reward_id if gift else planning.fill_reward(session, program)
        given.append(
            rewards.give(
                session, member_id=member_id, reward=session.get_one(Reward, reward_id), source_kind="fill",
                source_id=entry_id, at=account.context["occurred_at"],
            )
        )  # fmt: skip


def give(
    session: Session, gift: Gift, program: ProgramInForce, account: OpenAccount, *, member_id: int,
    purchase_id: int | None, trigger_run_id: int | None = None,
) -> Given:  # fmt: skip
    """Issue what a rule or a threshold gives."""
    issue = RewardIssue(
        program_id=program.id, version_id=program.version_id, member_id=member_id, purchase_id=purchase_id,
        trigger_run_id=trigger_run_id, reward_id=gift.reward_id, threshold=gift.threshold, round=gift.round,
        at=clock.now(),
    )  # fmt: skip
    session.add(issue)
    session.flush()
    return rewards.give(
        session, member_id=member_id, reward=session.get_one(Reward, gift.reward_id), source_kind="issue",
        source_id=issue.id, at=account.context["occurred_at"],
    )  # fmt: skip


def ask_messages(session: Session, award: AwardPlan, *, member_id: int) -> None:
    """Tell those who send messages which of them the rules of an award ask for."""
    for key in award.outcome.messages:
        emit(session, MessageAsked(member_id=member_id, program_id=award.line.program.id, key=key))
