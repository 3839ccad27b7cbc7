"""What rules give beside purchases: for joining, in the birthday month, on a day, for what a slice above reports.

Each program gives once for each member and source; the same source again changes nothing. Source: earning.md,
"Programs".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app.cards import expiry, granting, planning, reasons, undoing
from app.cards.granting import Triggered
from app.cards.models import RewardIssue, TriggerRun
from app.cards.planning import AwardPlan
from app.cards.programs import ProgramInForce, in_force
from app.cards.rules import Outcome
from app.cards.situation import Situation, situation, without_place
from app.core import clock
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount, open_accounts
from app.members import lookup
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards

BIRTHDAY = "birthday_month"
# Between two gifts. A month may be told on its last day and begin on its first a year later; who changes the month of
# birth is to have no second gift within weeks.
A_YEAR = timedelta(days=300)


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
    if event.kind == BIRTHDAY and _given_lately(session, program, member_id, event.at):
        nothing = Outcome(reason=reasons.BIRTHDAY_LATELY)
        award = planning.plan_outcome(session, program, facts, nothing, member_id=member_id, before=account.balance)
    else:
        award = planning.plan_award(session, program, facts, member_id=member_id, before=account.balance)
    return granting.run(session, replace(award, source=event.source), account, member_id=member_id, at=event.at)


def _given_lately(session: Session, program: ProgramInForce, member_id: int, at: datetime) -> bool:
    """Tell whether a member, or one who became it, had a birthday gift so lately that this is the same birthday."""
    issued = exists().where(RewardIssue.trigger_run_id == TriggerRun.id)
    wanted = select(TriggerRun.id).where(
        TriggerRun.member_id.in_(lookup.family(session, member_id)), TriggerRun.program_id == program.id,
        TriggerRun.kind == BIRTHDAY, TriggerRun.taken_back_at.is_(None), TriggerRun.occurred_at > at - A_YEAR,
        (TriggerRun.reason == "") | (TriggerRun.amount > 0) | issued,
    )  # fmt: skip
    return session.scalar(wanted.limit(1)) is not None


def take_back(session: Session, member: Member, kind: str, source_id: int | str) -> bool:
    """Undo what a source gave, once: units, rewards that nobody has used, tiers. False where nothing stands of it.

    What was used stays, and what was spent is a debt. What limits counted stays counted.

    Args:
        member: a merged one is followed to the member it became.
    """
    member_id = ledger.hold_member(session, member.id)
    wanted = select(TriggerRun).where(
        TriggerRun.member_id.in_(lookup.family(session, member_id)), TriggerRun.kind == kind,
        TriggerRun.source == str(source_id), TriggerRun.taken_back_at.is_(None),
    )  # fmt: skip
    runs = sorted(session.scalars(wanted), key=lambda run: run.id)
    context = {"occurred_at": clock.now()}
    programs = [run.program_id for run in runs]
    accounts = open_accounts(session, member_id=member_id, program_ids=programs, context=context) if runs else {}
    if runs:
        rewards.hold_given(session, member_id=member_id)
    done = [undoing.undo_run(session, run, accounts[run.program_id], member_id=member_id) for run in runs]
    return any(done)


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
