"""What a sale will do, decided before anything is written: a quote shows it, a booking does it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import limits, reaching, rules
from app.cards.models import RewardIssue
from app.cards.paying import Payment
from app.cards.programs import ProgramInForce
from app.cards.rules import Facts, Line, Outcome, Reached
from app.cards.situation import situation
from app.ledger.accounts import Terms
from app.ledger.models import Account, LedgerEntry
from app.ledger.rules import Basket
from app.members import lookup
from app.rewards import service as rewards
from app.rewards.models import Reward


@dataclass(frozen=True)
class Gift:
    """A reward that an award brings: by a full card, by a threshold that was reached, or by a rule."""

    reward_id: int
    threshold: int | None = None
    round: int = 0


@dataclass(frozen=True)
class AwardLine:
    """What a sale gives in one program: `balance` is what the open card holds afterwards.

    `details` are what the sentence of `reason` names; `pending` says that the amount waits for its release.
    """

    program: ProgramInForce
    amount: int
    balance: int
    filled: int
    rule: str
    reason: str
    details: Mapping[str, Any]
    parts: tuple[rules.Part, ...]
    pending: bool = False


@dataclass(frozen=True)
class AwardPlan:
    """An award and all that it takes to book it."""

    line: AwardLine
    outcome: Outcome
    facts: Facts
    terms: Terms
    fill: Gift | None
    gifts: tuple[Gift, ...]
    source: str = ""  # of the run where it is no purchase's
    follows: tuple["AwardPlan", ...] = ()  # what rules give for the balance that it reaches


@dataclass(frozen=True)
class Planned:
    """All that a sale does: how it is paid, and what it earns."""

    payment: Payment
    awards: tuple[AwardPlan, ...]
    at: datetime  # local
    suspicions: tuple[limits.Suspicion, ...] = ()


def plan_purchase(
    session: Session,
    basket: Basket,
    *,
    member_id: int,
    outlet_id: int,
    programs: Iterable[ProgramInForce],
    balances: Mapping[int, int],
    payment: Payment,
    lock: bool,
    offline: bool = False,
) -> Planned:
    """Decide what a basket earns; writes nothing.

    Args:
        balances: program id → units, of the accounts that a booking has locked.
        payment: how the basket is met: its due is what earns, and what is spent is gone before anything is earned.
        lock: whether what limits count stays as it is until this unit ends.
        offline: nobody can approve a large award any more, so it is 0.

    Raises:
        limits.NeedsApproval: somebody can.
    """
    where = situation(session, member_id=member_id, outlet_id=outlet_id, at=basket.occurred_at, lock=lock)
    lines = tuple(
        Line(line.sku, line.group, line.quantity, part.paid_cents)
        for line, part in zip(basket.lines, payment.paid.lines, strict=True)
    )
    verdict = limits.look(session, basket, member_id=member_id, outlet_id=outlet_id, at=where.at)
    awards = []
    for program in programs:
        facts = where.facts(program, due_cents=payment.paid.due_cents, lines=lines)
        before = balances.get(program.id, 0) - payment.spends.get(program.id, 0)
        awards.append(plan_award(session, program, facts, member_id=member_id, before=before, verdict=verdict))
    said = [(award.line.program.slug, award.line.reason, award.line.details) for award in awards]
    return Planned(payment, tuple(awards), where.at, limits.judge(verdict, said, offline=offline))


def plan_award(
    session: Session,
    program: ProgramInForce,
    facts: Facts,
    *,
    member_id: int,
    before: int,
    verdict: limits.Verdict | None = None,
) -> AwardPlan:
    """Decide what one program gives for some facts, on top of a balance; `verdict` may cut it."""
    outcome = rules.evaluate(program.plan, facts)
    if verdict is not None:
        worth = _worth(session, program, before, before + outcome.amount) if program.kind == "cash_back" else None
        outcome = verdict.cut(program.kind, outcome, worth_cents=worth)
    return plan_outcome(session, program, facts, outcome, member_id=member_id, before=before)


def _worth(session: Session, program: ProgramInForce, before: int, after: int) -> int:
    """Return the cents of the gift cards that a balance comes to: what a cash back really awards."""
    crossed = rules.crossed(program.plan, before, after)
    slugs = [step.reward for step in crossed.reached]
    if not slugs:
        return 0
    worth = dict(session.execute(select(Reward.slug, Reward.face_cents).where(Reward.slug.in_(slugs))).all())
    return sum(worth.get(slug, 0) for slug in slugs)


def plan_outcome(
    session: Session, program: ProgramInForce, facts: Facts, outcome: Outcome, *, member_id: int, before: int
) -> AwardPlan:
    """Decide what follows from an outcome on top of a balance: terms, full cards, thresholds, rules that it sets off.

    What a rule gives for a balance sets off no other rule.
    """
    award = _booked(session, program, facts, outcome, member_id=member_id, before=before)
    if not outcome.amount or award.line.pending or not reaching.has_rules(program):
        return award
    number, follows = round_of(session, program, member_id), []
    balance, filled = award.line.balance, award.line.filled
    for one in reaching.due(
        session, program, member_id=member_id, before=before, after=before + outcome.amount, number=number
    ):
        seen = reaching.facts_of(session, program, facts, one.rule, member_id=member_id)
        given = rules.evaluate(program.plan, seen)
        plan = _booked(session, program, seen, given, member_id=member_id, before=balance, rounds=filled)
        follows.append(replace(plan, source=one.source))
        balance, filled = plan.line.balance, filled + plan.line.filled
    return replace(award, follows=tuple(follows))


def _booked(
    session: Session,
    program: ProgramInForce,
    facts: Facts,
    outcome: Outcome,
    *,
    member_id: int,
    before: int,
    rounds: int = 0,
) -> AwardPlan:
    """Decide what an outcome comes to; `rounds` are those that are planned already and stand in no entry."""
    terms = _terms(program, facts.at)
    waits = terms.release_at is not None
    after = before if waits else before + outcome.amount
    filled, thresholds = crossing(session, program, member_id=member_id, before=before, after=after, rounds=rounds)
    gifts = (*(Gift(reward_id) for reward_id in reward_ids(session, outcome.issues)), *thresholds)
    size = program.full_at or 1
    line = AwardLine(
        program, outcome.amount, after - filled * size, filled, _counted(program, outcome),
        outcome.reason, outcome.values, outcome.parts, waits,
    )  # fmt: skip
    fill = Gift(fill_reward(session, program)) if filled else None
    return AwardPlan(line, outcome, facts, terms, fill, gifts)


def _terms(program: ProgramInForce, at: datetime) -> Terms:
    months, release = program.plan.expires_after_months, program.plan.release
    return Terms(
        rules.expiry(at, months) if months is not None else None,
        rules.release_at(at, release) if release is not None else None,
    )


def _counted(program: ProgramInForce, outcome: Outcome) -> str:
    """Return the name of the rule that gave most; the first one where none gave anything."""
    if outcome.parts:
        return max(outcome.parts, key=lambda part: part.amount).rule
    return program.plan.rules[0].name if program.plan.rules else ""


def reward_ids(session: Session, slugs: Iterable[str]) -> list[int]:
    """Return the rewards of these short names, one for each; a name that is gone gives nothing."""
    wanted = list(slugs)
    if not wanted:
        return []
    found = dict(session.execute(select(Reward.slug, Reward.id).where(Reward.slug.in_(wanted))).all())
    return [found[slug] for slug in wanted if slug in found]


def fill_reward(session: Session, program: ProgramInForce) -> int:
    """Return the reward that a full card, or the end of a round, issues."""
    if program.reward_id is not None:
        return program.reward_id
    return reward_ids(session, [program.plan.thresholds[-1].reward])[0]


def crossing(
    session: Session, program: ProgramInForce, *, member_id: int, before: int, after: int, rounds: int = 0
) -> tuple[int, list[Gift]]:
    """Return how many full cards a balance comes to, and what thresholds below their end give.

    Args:
        rounds: those that are planned already and stand in no entry.
    """
    if after == before:  # a card that is fuller than a new version's size is emptied by the next unit
        return 0, []
    crossed = rules.crossed(program.plan, before, after)
    size = program.full_at or 1
    filled = crossed.taken // size if program.size is None else rules.fills(after, size)
    return filled, _thresholds(session, program, crossed.reached, member_id=member_id, rounds=rounds)


def _thresholds(
    session: Session, program: ProgramInForce, reached: Sequence[Reached], *, member_id: int, rounds: int
) -> list[Gift]:
    """Return what thresholds below the end of a round give; each gives once a round while its reward stands."""
    below = [step for step in reached if not (program.plan.repeats and step.at == program.full_at)]
    if not below:
        return []
    number = round_of(session, program, member_id) + rounds if program.plan.repeats else 0
    issues = session.execute(
        select(RewardIssue.id, RewardIssue.threshold, RewardIssue.round).where(
            RewardIssue.member_id == member_id,
            RewardIssue.program_id == program.id,
            RewardIssue.threshold.is_not(None),
        )
    ).all()
    states = rewards.states(session, "issue", [row.id for row in issues])
    had = {(row.threshold, row.round) for row in issues if states.get(row.id, "revoked") != "revoked"}
    found = [step for step in below if (step.at, number + step.round) not in had]
    ids = reward_ids(session, [step.reward for step in found])
    return [Gift(reward_id, step.at, number + step.round) for reward_id, step in zip(ids, found, strict=True)]


def round_of(session: Session, program: ProgramInForce, member_id: int) -> int:
    """Return how often a member's count in a program has begun anew, and those of who became it.

    What their thresholds gave moved with them: a round of either is never counted again.
    """
    rounds = func.sum(LedgerEntry.amount)
    entries = (
        select(rounds)
        .join(Account, Account.id == LedgerEntry.account_id)
        .where(
            Account.member_id.in_(lookup.family(session, member_id)),
            Account.program_id == program.id,
            LedgerEntry.kind.in_(("fill", "fill_undo")),
        )
    )
    return -int(session.scalar(entries) or 0) // (program.full_at or 1)
