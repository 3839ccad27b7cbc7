"""What rules give beside purchases: for joining, in the birthday month, on a day, for what a slice above reports.

Each program gives once for each member and source; the same source again changes nothing. Source: earning.md,
"Programs".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import expiry, granting, planning, tiers, undoing, uses, views
from app.cards.events import progressed
from app.cards.models import TriggerRun
from app.cards.planning import AwardPlan
from app.cards.programs import ProgramInForce, in_force
from app.cards.situation import Situation, situation, without_place
from app.core import clock
from app.core.db import brand_of, inserting
from app.core.events import emit
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount, open_accounts
from app.members.models import Member
from app.network.models import Till
from app.rewards.service import Given


@dataclass(frozen=True)
class Triggered:
    """What one program gave; `reason` and `values` say why it was nothing or less."""

    run_id: int
    program: ProgramInForce
    amount: int
    balance: int
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    rewards: tuple[Given, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happened beside a purchase; `program_id` and `rule` ask only that program, only the rule of that name."""

    kind: str  # a trigger of app.cards.rules
    source: str
    at: datetime
    program_id: int | None = None
    rule: str = ""
    outlet_id: int | None = None  # that took part in it
    till_id: int | None = None
    channel: str = ""  # of what no outlet took part in

    def heard_by(self, program: ProgramInForce) -> bool:
        """Tell whether a program has a rule for it."""
        if self.program_id not in (None, program.id):
            return False
        return any(rule.on == self.kind and self.rule in ("", rule.name) for rule in program.plan.rules)

    def situation(self, session: Session, member_id: int, *, lock: bool) -> Situation:
        """Read whom it happened to, and where."""
        if self.outlet_id is None:
            return without_place(session, member_id=member_id, at=self.at, lock=lock, channel=self.channel)
        return situation(session, member_id=member_id, outlet_id=self.outlet_id, at=self.at, lock=lock)


def trigger(
    session: Session,
    member: Member,
    kind: str,
    source_id: int | str,
    *,
    at: datetime | None = None,
    till: Till | None = None,
) -> list[Triggered]:
    """Let every program give what its rules say for something that happened, once for each source.

    Args:
        member: a merged one is followed to the member it became.
        kind: a trigger that is no purchase, such as `survey_answered`.
        source_id: what is counted once, such as the id of the answer; never personal data.
        at: when it was, now unless it is given; it picks the versions.
        till: that took part in it.

    Returns:
        what each program that hears it did; nothing for a source that was heard before.
    """
    event = Event(
        kind, str(source_id), at or clock.now(), outlet_id=till.outlet_id if till else None,
        till_id=till.id if till else None,
    )  # fmt: skip
    return trigger_each(session, [member.id], event)


def trigger_each(session: Session, member_ids: Iterable[int], event: Event) -> list[Triggered]:
    """Do for several members what `trigger` does for one.

    All accounts are locked before anything is counted, in the order of the members' ids: who holds the row that counts
    a rule for everybody never waits for an account.
    """
    programs = [program for program in in_force(session, event.at) if event.heard_by(program)]
    if not programs:
        return []
    context = {"occurred_at": event.at, "outlet_id": event.outlet_id, "till_id": event.till_id}
    ids = [program.id for program in programs]
    held = sorted({ledger.hold_member(session, member_id) for member_id in sorted(set(member_ids))})
    accounts = {
        member_id: expiry.open_current(session, member_id=member_id, program_ids=ids, context=context)
        for member_id in held
    }
    done = []
    for member_id, opened in accounts.items():
        where = event.situation(session, member_id, lock=True)
        found = [_run(session, event, where, program, opened[program.id]) for program in programs]
        done += [one for one in found if one is not None]
    return done


def plan(session: Session, member_id: int, event: Event) -> list[AwardPlan]:
    """Return what programs would give now for something that happens; writes and binds nothing.

    Args:
        member_id: 0 for somebody who has not joined yet.
    """
    where = event.situation(session, member_id, lock=False)
    return [
        planning.plan_award(
            session, program, where.facts(program, trigger=event.kind, rule=event.rule), member_id=member_id, before=0
        )
        for program in in_force(session, event.at)
        if event.heard_by(program)
    ]


def _run(
    session: Session, event: Event, where: Situation, program: ProgramInForce, account: OpenAccount
) -> Triggered | None:
    """Decide what a program gives and book it; None where it has given for this source."""
    member_id = where.member_id
    facts = where.facts(program, trigger=event.kind, rule=event.rule)
    award = planning.plan_award(session, program, facts, member_id=member_id, before=account.balance)
    run_id = _claim(session, event, award, member_id=member_id)
    if run_id is None:
        return None
    return book(session, award, account, member_id=member_id, run_id=run_id)


def book(session: Session, award: AwardPlan, account: OpenAccount, *, member_id: int, run_id: int) -> Triggered:
    """Book what a run gives: entries, rewards, tier, messages and what limits count."""
    line = award.line
    given = granting.grant(
        session, award, account, kind="earn", member_id=member_id, trigger_run_id=run_id, purchase_id=None,
        reason=award.facts.trigger, source_kind=undoing.TRIGGER, source_id=run_id,
    )  # fmt: skip
    granting.ask_messages(session, award, member_id=member_id)
    if award.outcome.tier:
        tiers.after_trigger(
            session, member_id=member_id, trigger_run_id=run_id, at=award.facts.at, tier=award.outcome.tier
        )
    uses.write(
        session, award.outcome.uses, program_id=line.program.id, member_id=member_id, purchase_id=None,
        day=award.facts.at.date(),
    )  # fmt: skip
    return Triggered(run_id, line.program, line.amount, line.balance, line.reason, line.details, tuple(given))


def _claim(session: Session, event: Event, award: AwardPlan, *, member_id: int) -> int | None:
    """Write the run, once for each source; None where it is there."""
    line, program = award.line, award.line.program
    heard = (rule.name for rule in program.plan.rules if rule.on == event.kind and event.rule in ("", rule.name))
    values = {
        "brand_id": brand_of(session), "program_id": program.id, "version_id": program.version_id,
        "member_id": member_id, "kind": event.kind, "source": event.source, "amount": line.amount,
        "rule": line.rule if line.parts else next(heard), "reason": line.reason, "details": dict(line.details),
        "occurred_at": event.at, "recorded_at": clock.now(),
    }  # fmt: skip
    insert = inserting(session)(TriggerRun).values(values).on_conflict_do_nothing().returning(TriggerRun.id)
    run_id: int | None = session.execute(insert).scalar()
    return run_id


def take_back(session: Session, member: Member, kind: str, source_id: int | str) -> bool:
    """Undo what a source gave, once: units, rewards that nobody has used, tiers. False where nothing stands of it.

    What was used stays, and what was spent is a debt. What limits counted stays counted.

    Args:
        member: a merged one is followed to the member it became.
    """
    member_id = ledger.hold_member(session, member.id)
    wanted = select(TriggerRun).where(
        TriggerRun.member_id.in_(views.family(session, member_id)), TriggerRun.kind == kind,
        TriggerRun.source == str(source_id), TriggerRun.taken_back_at.is_(None),
    )  # fmt: skip
    runs = sorted(session.scalars(wanted), key=lambda run: run.id)
    context = {"occurred_at": clock.now()}
    programs = [run.program_id for run in runs]
    accounts = open_accounts(session, member_id=member_id, program_ids=programs, context=context) if runs else {}
    done = [_undo(session, run, accounts[run.program_id], member_id=member_id) for run in runs]
    return any(done)


def _undo(session: Session, run: TriggerRun, account: OpenAccount, *, member_id: int) -> bool:
    if not undoing.end_run(session, run.id):
        return False
    undoing.undo_run_gifts(session, run.id)
    entry_id = undoing.entry_of_run(session, run.id, account, member_ids=views.family(session, member_id))
    if run.amount:
        taken_by, _undone = undoing.take_back(
            session, account, run.amount, kind="reverse_earn", member_id=member_id, version_id=run.version_id,
            rule=run.rule, reason="taken_back", reverses_id=entry_id, source_kind=undoing.TRIGGER, source_id=run.id,
        )  # fmt: skip
        change = progressed(
            member_id=member_id, program_id=run.program_id, amount=-run.amount, purchase_id=None, entry_id=taken_by
        )
        emit(session, change)
    tiers.after_taking_back(session, member_id=member_id, trigger_run_id=run.id)
    return True


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Let a source that a merged member was given for count for the member it became; twins stay where they are.

    A day's run never moves up: the job goes on above the last member that has one.
    """
    mine = session.scalars(select(TriggerRun).where(TriggerRun.member_id == member_id)).all()
    theirs = session.scalars(select(TriggerRun).where(TriggerRun.member_id == into_id)).all()
    known = {(run.program_id, run.kind, run.source) for run in theirs}
    moved = [
        run.id
        for run in mine
        if (run.program_id, run.kind, run.source) not in known and (run.kind != "schedule" or into_id < member_id)
    ]
    if moved:
        session.execute(update(TriggerRun).where(TriggerRun.id.in_(moved)).values(member_id=into_id))
