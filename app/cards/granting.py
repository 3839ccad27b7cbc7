"""Booking a planned award: entries, full cards and gifts; also where staff, the brand or a rule gives beside a sale."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.cards import planning, tiers, uses
from app.cards.events import MessageAsked, progressed
from app.cards.models import RewardIssue, TriggerRun
from app.cards.planning import AwardLine, AwardPlan, Gift
from app.cards.programs import ProgramInForce
from app.core import clock
from app.core.db import brand_of, inserting
from app.core.events import emit
from app.ledger.accounts import OpenAccount
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.service import Given

TRIGGER = "trigger"  # source of an entry that a run of a trigger made


@dataclass(frozen=True)
class Triggered:
    """What one program gave beside a purchase; the line says how much, and why it was nothing or less."""

    run_id: int
    line: AwardLine
    rewards: tuple[Given, ...]


def grant(
    session: Session, award: AwardPlan, account: OpenAccount, *, kind: str, member_id: int,
    purchase_id: int | None = None, trigger_run_id: int | None = None, apart: bool = False, **why: Any,
) -> list[Given]:  # fmt: skip
    """Book what a plan gives: the entry, full cards, gifts, and the news of it; return the rewards.

    Args:
        kind: of the entry.
        apart: the entry is no part of the purchase that the account's context names.
        why: what the entry says beside that: reason, approver, source_kind, source_id and so on.
    """
    line, program = award.line, award.line.program
    why |= {"purchase_id": None} if apart else {}
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
    followed = follow(session, award, account, member_id=member_id)
    return [*filled, *gifts, *(reward for one in followed for reward in one.rewards)]


def follow(session: Session, award: AwardPlan, account: OpenAccount, *, member_id: int) -> list["Triggered"]:
    """Book what rules give for the balance that an award reaches."""
    at = account.context["occurred_at"]
    done = [run(session, one, account, member_id=member_id, at=at) for one in award.follows]
    return [one for one in done if one is not None]


def run(
    session: Session, award: AwardPlan, account: OpenAccount, *, member_id: int, at: datetime
) -> "Triggered | None":
    """Book what a rule gives beside a purchase: the run, entries, rewards, tier, messages and what limits count.

    None where the program has given for this source.
    """
    run_id = _claim(session, award, member_id=member_id, at=at)
    if run_id is None:
        return None
    line = award.line
    given = grant(
        session, award, account, kind="earn", member_id=member_id, trigger_run_id=run_id, reason=award.facts.trigger,
        source_kind=TRIGGER, source_id=run_id, apart=True,
    )  # fmt: skip
    ask_messages(session, award, member_id=member_id)
    if award.outcome.tier:
        tiers.after_trigger(session, member_id=member_id, trigger_run_id=run_id, at=at, tier=award.outcome.tier)
    uses.write(
        session, award.outcome.uses, program_id=line.program.id, member_id=member_id, purchase_id=None,
        day=award.facts.at.date(),
    )  # fmt: skip
    return Triggered(run_id, line, tuple(given))


def _claim(session: Session, award: AwardPlan, *, member_id: int, at: datetime) -> int | None:
    """Write the run, once for each source; None where it is there."""
    line, program, facts = award.line, award.line.program, award.facts
    heard = [rule for rule in program.plan.rules if rule.on == facts.trigger and facts.rule in ("", rule.name)]
    reached = {"at": heard[0].at} if heard[0].at is not None else {}
    values = {
        "brand_id": brand_of(session), "program_id": program.id, "version_id": program.version_id,
        "member_id": member_id, "kind": facts.trigger, "source": award.source, "amount": line.amount,
        "rule": line.rule if line.parts else heard[0].name, "reason": line.reason,
        "details": {**line.details, **reached}, "occurred_at": at, "recorded_at": clock.now(),
    }  # fmt: skip
    insert = inserting(session)(TriggerRun).values(values).on_conflict_do_nothing().returning(TriggerRun.id)
    run_id: int | None = session.execute(insert).scalar()
    return run_id


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
                source_id=entry_id, at=_from(account),
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
        source_id=issue.id, at=_from(account),
    )  # fmt: skip


def _from(account: OpenAccount) -> datetime:
    """Return since when a reward is good: what a late sale brings has its full days from when the member can see it."""
    happened: datetime = account.context["occurred_at"]
    return max(happened, clock.now())


def ask_messages(session: Session, award: AwardPlan, *, member_id: int) -> None:
    """Tell those who send messages which of them the rules of an award ask for."""
    for key in award.outcome.messages:
        emit(session, MessageAsked(member_id=member_id, program_id=award.line.program.id, key=key))
