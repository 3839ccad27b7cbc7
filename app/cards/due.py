"""What gives by itself: birthday months, the days that rules name, tiers that were reached. Jobs look for who is due.

Only who has confirmed a contact is given anything: else a gift could be had by joining with made-up addresses.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.orm import Session

from app.cards import reaching, rules, tiers, triggers
from app.cards.programs import ProgramInForce, in_force
from app.cards.triggers import Event
from app.core import clock
from app.core.db import brand_of
from app.core.tables import UtcDateTime
from app.ledger import service as ledger
from app.ledger.accounts import open_accounts
from app.members.models import Member
from app.network.service import zone

LATE = timedelta(days=7)  # a day that nobody looked at for so long is let go: no gift for Christmas in spring
_CONFIRMED = (
    "SELECT m.id FROM member m WHERE m.brand_id = :brand_id AND m.state = 'confirmed' AND {due} ORDER BY m.id "
    "LIMIT :most"
)
_BORN = text(
    _CONFIRMED.format(
        due="m.birth_month = :month AND NOT EXISTS (SELECT 1 FROM trigger_run r WHERE r.brand_id = m.brand_id AND "
        "r.program_id = :program_id AND r.kind = :kind AND r.source = :source AND r.member_id = m.id)"
    )
)
# Members come in the order of their ids and each leaves a run, so those above the last one are left.
_LEFT = text(
    _CONFIRMED.format(
        due="m.id > COALESCE((SELECT max(r.member_id) FROM trigger_run r WHERE r.brand_id = :brand_id AND "
        "r.program_id = :program_id AND r.kind = :kind AND r.source = :source), 0) AND EXISTS (SELECT 1 FROM contact c "
        "WHERE c.brand_id = m.brand_id AND c.member_id = m.id AND c.confirmed_at <= :at)"
    )
).bindparams(bindparam("at", type_=UtcDateTime))


def give_birthdays(session: Session, *, now: datetime, most: int) -> int:
    """Give members what rules have for their birthday month, once in a calendar year
    and not within 300 days of the last one.

    Month and year are those of the brand's zone. Who tells the month within it is given it then.

    Returns:
        0 where nobody was due; else `most`, since the rest has to wait for another unit: see `_give`.
    """
    local = now.astimezone(zone(session))
    events = (
        Event(triggers.BIRTHDAY, str(local.year), now, program_id=program.id)
        for program in in_force(session, now)
        if any(rule.on == triggers.BIRTHDAY for rule in program.plan.rules)
    )
    return most if any(_give(session, event, _BORN, most, month=local.month) for event in events) else 0


def give_scheduled(session: Session, *, now: datetime, most: int) -> int:
    """Give members what rules have for a day that has come.

    The rule must have stood when the day came, and the member must have confirmed a contact by then.

    Returns:
        0 where nobody was due; else `most`, as with birthdays.
    """
    events = _days(session, in_force(session, now), now.astimezone(zone(session)))
    return most if any(_give(session, event, _LEFT, most, at=event.at) for event in events) else 0


def _days(session: Session, programs: list[ProgramInForce], local: datetime) -> Iterator[Event]:
    """Give the days that have come, a program and a rule at a time."""
    for program in programs:
        for rule in program.plan.rules:
            moment = rules.last_due(rule.schedule, local) if rule.schedule else None
            if moment is None or local - moment > LATE:
                continue
            if any(one.id == program.id and rule in one.plan.rules for one in in_force(session, moment)):
                source = f"{rule.name} {moment.date()}"
                yield Event("schedule", source, moment, rule=rule.name, program_id=program.id)


def _give(session: Session, event: Event, due: TextClause, most: int, **values: Any) -> bool:
    """Give the next members what one program has for them; tell whether there were any.

    One program in one unit: who holds the row that counts a rule for everybody must not wait for more accounts.
    """
    keys = {"program_id": event.program_id, "kind": event.kind, "source": event.source, "most": most}
    rows = session.connection().execute(due, {"brand_id": brand_of(session), **keys, **values})
    # Who was merged meanwhile is left to the member it became, whose own turn comes or has come.
    living = [member_id for (member_id,) in rows if ledger.hold_member(session, member_id) == member_id]
    return bool(triggers.trigger_each(session, living, event))


def tier_changed(session: Session, member: Member, *, program_id: int, was: str, tier: str, reason: str) -> None:
    """Give what rules have for a tier that was reached, once in a calendar year; a refund takes it back.

    Args:
        member: a merged one is followed to the member it became.
        was, tier: slugs; empty is no tier.
        reason: a code of `TierChange.reason`.
    """
    now = clock.now()
    programs = [program for program in in_force(session, now) if program.id == program_id]
    for program in programs:
        if not any(rule.on == reaching.REACHED for rule in program.plan.rules):
            return
        member_id = ledger.hold_member(session, member.id)
        open_accounts(session, member_id=member_id, program_ids=[program_id], context={})  # one change at a time
        ranks = {one.slug: rank for rank, one in enumerate(program.plan.tiers)}
        rank = ranks.get(tier, -1)
        runs = reaching.runs_of(session, program_id, member_id)
        held = ranks.get(tiers.tier_at(session, member_id, now, program), -1)
        if rank > ranks.get(was, -1) and held >= rank:  # a refund may have come before this job
            source = reaching.next_source(runs, f"{tier}:{now.astimezone(zone(session)).year}")
            if source is not None:
                triggers.trigger_each(session, [member_id], Event(reaching.REACHED, source, now, program_id=program_id))
        elif reason == "refund":
            newest = {run.source.split(":")[0]: run for run in sorted(runs, key=lambda run: run.id)}
            for slug, run in newest.items():  # of earlier years, each was reached by what stands
                if run.taken_back_at is None and ranks.get(slug, -1) > rank:
                    triggers.take_back(session, member, reaching.REACHED, run.source)
