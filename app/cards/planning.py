"""What a sale will do, decided before anything is written: a quote shows it, a booking does it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import limits, rules
from app.cards.models import RewardIssue
from app.cards.programs import ProgramInForce
from app.cards.rules import Facts, Line, Outcome
from app.cards.situation import situation
from app.core.errors import Conflict, NotFound
from app.core.i18n import gettext as _
from app.ledger.accounts import BalanceTooSmall, Terms
from app.ledger.models import Account, LedgerEntry
from app.ledger.service import Basket, Paid
from app.rewards.models import Coupon, Reward

SPENDABLE = ("bonus",)


class ProgramUnknown(NotFound):
    """No program of this brand has this short name."""

    code = "program_unknown"


class NotSpendable(Conflict):
    """What is collected in this program is no money: it fills cards."""

    code = "program_not_spendable"


@dataclass(frozen=True)
class Wishes:
    """What a till asks for beside the basket. `spend`: program's short name → cents of its balance to pay with."""

    spend: Mapping[str, int] = field(default_factory=dict)
    offline: bool = False  # the sale happened while the till was offline: nobody can approve it any more


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


@dataclass(frozen=True)
class Planned:
    """All that a sale does: how it is paid, what of which balance is spent (program id → cents), what it earns."""

    paid: Paid
    spends: Mapping[int, int]
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
    paid: Paid,
    spends: Mapping[int, int],
    lock: bool,
    offline: bool = False,
) -> Planned:
    """Decide what a basket earns; writes nothing.

    Args:
        balances: program id → units, of the accounts that a booking has locked.
        paid: how the basket is met, its due is what earns.
        spends: program id → cents that it is paid with; they are gone before anything is earned.
        lock: whether what limits count stays as it is until this unit ends.
        offline: nobody can approve a large award any more, so it is 0.

    Raises:
        limits.NeedsApproval: somebody can.
    """
    where = situation(session, member_id=member_id, outlet_id=outlet_id, at=basket.occurred_at, lock=lock)
    lines = tuple(
        Line(line.sku, line.group, line.quantity, part.paid_cents)
        for line, part in zip(basket.lines, paid.lines, strict=True)
    )
    verdict = limits.look(session, basket, member_id=member_id, outlet_id=outlet_id, at=where.at)
    awards = []
    for program in programs:
        facts = where.facts(program, due_cents=paid.due_cents, lines=lines)
        before = balances.get(program.id, 0) - spends.get(program.id, 0)
        awards.append(plan_award(session, program, facts, member_id=member_id, before=before, verdict=verdict))
    said = [(award.line.program.slug, award.line.reason, award.line.details) for award in awards]
    return Planned(paid, spends, tuple(awards), where.at, limits.judge(verdict, said, offline=offline))


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
        outcome = verdict.cut(program.kind, outcome)
    return plan_outcome(session, program, facts, outcome, member_id=member_id, before=before)


def plan_outcome(
    session: Session, program: ProgramInForce, facts: Facts, outcome: Outcome, *, member_id: int, before: int
) -> AwardPlan:
    """Decide what follows from an outcome on top of a balance: terms, full cards, thresholds."""
    terms = _terms(program, facts.at)
    waits = terms.release_at is not None
    after = before if waits else before + outcome.amount
    filled = rules.fills(after, program.full_at) if program.full_at else 0
    gifts = (
        *(Gift(reward_id) for reward_id in reward_ids(session, outcome.issues)),
        *_thresholds(session, program, member_id=member_id, before=before, after=after),
    )
    line = AwardLine(
        program, outcome.amount, after - filled * (program.full_at or 0), filled, _counted(program, outcome),
        outcome.reason, outcome.values, outcome.parts, waits,
    )  # fmt: skip
    fill = Gift(fill_reward(session, program)) if filled else None
    return AwardPlan(line, outcome, facts, terms, fill, gifts)


def spends_of(
    programs: Iterable[ProgramInForce], wishes: Mapping[str, int], balances: Mapping[int, int]
) -> dict[int, int]:
    """Return program id → cents to pay with.

    Raises:
        ProgramUnknown, NotSpendable: a short name that is none, or of a program whose units are no money.
        BalanceTooSmall: more is wished than there is.
    """
    known = {program.slug: program for program in programs}
    found = {}
    for slug, cents in wishes.items():
        program = known.get(slug)
        if program is None:
            raise ProgramUnknown(_("There is no such program."), program=slug)
        if program.kind not in SPENDABLE:
            raise NotSpendable(_("One cannot pay with this card."), program=slug)
        balance = balances.get(program.id, 0)
        if cents > balance:
            raise BalanceTooSmall(_("There is not that much on the card."), program=slug, balance=balance)
        if cents:
            found[program.id] = cents
    return found


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


def _thresholds(session: Session, program: ProgramInForce, *, member_id: int, before: int, after: int) -> list[Gift]:
    """Return what thresholds below the end of a round give; each gives once a round while its coupon stands."""
    steps = program.plan.thresholds[:-1] if program.plan.repeats else program.plan.thresholds
    if not steps or after <= before:
        return []
    number = round_of(session, program, member_id) if program.plan.repeats else 0
    had = set(
        session.execute(
            select(RewardIssue.threshold, RewardIssue.round)
            .join(Coupon, (Coupon.source_id == RewardIssue.id) & (Coupon.source_kind == "issue"))
            .where(
                RewardIssue.member_id == member_id,
                RewardIssue.program_id == program.id,
                RewardIssue.threshold.is_not(None),
                Coupon.state != "revoked",
            )
        )
    )
    found = []
    low, high = before, after
    while True:
        found += [(step, number) for step in steps if low < step.at <= high and (step.at, number) not in had]
        if not program.full_at or high < program.full_at:
            break
        low, high, number = 0, high - program.full_at, number + 1
    ids = reward_ids(session, [step.reward for step, _number in found])
    return [Gift(reward_id, step.at, number) for reward_id, (step, number) in zip(ids, found, strict=True)]


def round_of(session: Session, program: ProgramInForce, member_id: int) -> int:
    """Return how often a member's count in a program has begun anew."""
    rounds = func.sum(LedgerEntry.amount)
    entries = (
        select(rounds)
        .join(Account, Account.id == LedgerEntry.account_id)
        .where(
            Account.member_id == member_id,
            Account.program_id == program.id,
            LedgerEntry.kind.in_(("fill", "fill_undo")),
        )
    )
    return -int(session.scalar(entries) or 0) // (program.full_at or 1)
