"""A member's tier in a standing program: raised by the sale that reaches it, kept for its months, lowered by a job.

What is held is a row with its end for each tier; the highest that is held at a moment is the member's. All of it is
written under the lock of the member's accounts. Source: earning.md, "Programs".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards import tier_statements as sql
from app.cards.events import TierChanged
from app.cards.models import TierChange, TierHold
from app.cards.programs import ProgramInForce, in_force, of_version
from app.cards.rules import Day, Tier, TierReached
from app.core import clock
from app.core.db import brand_of
from app.core.events import emit
from app.ledger.accounts import open_accounts
from app.members import lookup
from app.network.service import zone as brand_zone


@dataclass(frozen=True)
class Held:
    """The tier that a member is in, and the first moment at which it is not; None where that is never.

    `below` is the tier that is held beyond that moment as it stands now.
    """

    program: ProgramInForce
    tier: Tier
    until: datetime | None
    below: Tier | None = None


@dataclass(frozen=True)
class Cause:
    """Why tiers are looked at: a code of `TierChange.reason`, with the sale or the refund that caused it."""

    reason: str
    at: datetime
    purchase_id: int | None = None
    refund_id: int | None = None
    set_to: Sequence[str] = ()  # tiers that rules set
    trigger_run_id: int | None = None


def held(session: Session, member_id: int, at: datetime) -> list[Held]:
    """Return the tier that a member is in at a moment, in each standing program that has one for them."""
    programs = _standing(in_force(session, at))
    if not programs:
        return []
    holds = _holds(session, member_id)
    day = clock.local_date(at, brand_zone(session).key)
    found = []
    for program in programs:
        ends = _ends(row for row in holds if row.program_id == program.id and row.reached_on <= day)
        tier = rules.tier_for(program.plan.tiers, ends, at)
        if tier is not None:
            until = ends.get(tier.slug)
            below = rules.tier_for(program.plan.tiers, ends, until) if until else None
            found.append(Held(program, tier, until, below))
    return found


def tier_at(session: Session, member_id: int, at: datetime, program: ProgramInForce) -> str:
    """Return the slug that a program's rules see: a standing program's own tier, for others the first one's."""
    for one in held(session, member_id, at):
        if program.kind != "standing" or one.program.id == program.id:
            return one.tier.slug
    return ""


def slugs(session: Session, member_id: int, at: datetime) -> frozenset[str]:
    """Return the tiers that a member is in at a moment, one of each standing program: what member prices ask for."""
    return frozenset(one.tier.slug for one in held(session, member_id, at))


def standing_discount_bp(session: Session, member_id: int) -> int:
    """Return the best standing discount of a member's tiers now, in basis points; 0 where there is none."""
    return max((one.tier.discount_bp for one in held(session, member_id, clock.now())), default=0)


def after_sale(
    session: Session,
    programs: Iterable[ProgramInForce],
    *,
    member_id: int,
    purchase_id: int,
    at: datetime,
    set_to: Sequence[str] = (),
) -> None:
    """Raise a member's tiers at once by what a sale reached, and by the tiers that its rules set.

    Args:
        programs: those in force at the sale; the others than standing ones are left alone.
        at: when the sale was.
        set_to: slugs of tiers; one that no standing program has changes nothing.
    """
    _raise(session, _standing(programs), member_id, Cause("reached", at, purchase_id, set_to=set_to))


def after_trigger(session: Session, *, member_id: int, trigger_run_id: int, at: datetime, tier: str) -> None:
    """Put a member into the tier that a rule sets beside a sale; it never lowers one."""
    cause = Cause("rule", at, set_to=[tier], trigger_run_id=trigger_run_id)
    _raise(session, _standing(in_force(session, at)), member_id, cause)


def after_taking_back(session: Session, *, member_id: int, trigger_run_id: int) -> None:
    """End the tier that a rule had set beside a sale."""
    now = clock.now()
    lost = [row for row in _holds(session, member_id) if row.trigger_run_id == trigger_run_id and row.until > now]
    for row in lost:
        row.until = now
    session.flush()
    for program in _standing(in_force(session, now)):
        if any(row.program_id == program.id for row in lost):
            _note(session, program, member_id, Cause("refund", now))


def after_refund(
    session: Session, *, member_id: int, purchase_id: int, refund_id: int | None, kept: Sequence[str] = ()
) -> None:
    """End the tiers that a member's spend no longer reaches, and those that rules of the purchase had set.

    Args:
        refund_id: none where the brand took back what the purchase gave.
        kept: slugs of the tiers that what is left of the purchase still sets.
    """
    now, zone = clock.now(), brand_zone(session)
    holds = [row for row in _holds(session, member_id) if row.until > now]
    if not holds:
        return
    lost = [row for row in holds if row.purchase_id == purchase_id and row.tier not in kept]
    for row in lost:
        row.until = now
    spent = [row for row in holds if row.source == "spend"]
    if spent:
        since = rules.period_start(_noon(min(row.reached_on for row in spent), zone), "year")
        days = bought(session, member_id, since, now)
        lost += [row for row in spent if _shortened(session, row, days, zone, now)]
    session.flush()
    cause = Cause("refund", now, purchase_id, refund_id)
    for program in _standing(in_force(session, now)):
        if any(row.program_id == program.id for row in lost):
            _note(session, program, member_id, cause)


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Let the member that stays hold the better of both tiers, and reach what both have spent together."""
    for row in _holds(session, member_id):
        _hold(session, into_id, row)
    session.execute(delete(TierHold).where(TierHold.member_id == member_id))
    now = clock.now()
    _raise(session, _standing(in_force(session, now)), into_id, Cause("merged", now))


def settle_due(session: Session, *, now: datetime, most: int = 500) -> int:
    """Lower the members whose tiers ended, in the order of their ids; return how many ends were looked at."""
    values = {"brand_id": brand_of(session), "now": now, "most": most}
    due = session.connection().execute(sql.DUE, values).all()
    programs = _standing(in_force(session, now))
    for member_id in sorted({row.member_id for row in due}):
        open_accounts(session, member_id=member_id, program_ids=[program.id for program in programs], context={})
        ended = update(TierHold).where(TierHold.member_id == member_id, TierHold.until <= now, ~TierHold.settled)
        touched = set(session.scalars(ended.values(settled=True).returning(TierHold.program_id)))
        for program in programs:
            if program.id in touched:
                _note(session, program, member_id, Cause("ended", now))
    return len(due)


def _raise(session: Session, programs: list[ProgramInForce], member_id: int, cause: Cause) -> None:
    if not programs:
        return
    zone = brand_zone(session)
    local = cause.at.astimezone(zone)
    since, until = rules.period_start(local, "year"), rules.period_end(local, "year")
    days = bought(session, member_id, since, until)
    known = {(row.program_id, row.tier, row.source): row.until for row in _holds(session, member_id)}
    for program in programs:
        for tier in program.plan.tiers:
            by_rule = TierReached(local.date(), rules.kept_until(tier, local)) if tier.slug in cause.set_to else None
            for source, found in (("spend", rules.tier_reached(tier, days, zone)), ("rule", by_rule)):
                before = known.get((program.id, tier.slug, source))
                if found is not None and (before is None or before < found.until):
                    row = TierHold(
                        program_id=program.id, version_id=program.version_id, tier=tier.slug, source=source,
                        reached_on=found.day, until=found.until,
                    )  # fmt: skip
                    if source == "rule":
                        row.purchase_id, row.trigger_run_id = cause.purchase_id, cause.trigger_run_id
                    _hold(session, member_id, row)
        _note(session, program, member_id, cause)


def _hold(session: Session, member_id: int, row: TierHold) -> None:
    """Write what a member holds, unless the same is held longer; what followed on goes on from its first day."""
    begins = datetime(row.reached_on.year, row.reached_on.month, row.reached_on.day, tzinfo=brand_zone(session))
    values = {name: getattr(row, name) for name in sql.HOLD_COLUMNS}
    over = row.until <= clock.now()  # as what a late till tells of
    values |= {"brand_id": brand_of(session), "member_id": member_id, "begins": begins, "settled": over}
    session.connection().execute(sql.HOLD, values)


def _shortened(session: Session, row: TierHold, days: list[Day], zone: ZoneInfo, now: datetime) -> bool:
    """Set the end that a member's spend still reaches under the version of then; tell whether it is an earlier one."""
    plan = of_version(session, row.version_id).plan
    tier = next(tier for tier in plan.tiers if tier.slug == row.tier)
    found = rules.tier_reached(tier, days, zone)
    until = max(found.until.astimezone(UTC), now) if found else now
    if until >= row.until:
        return False
    row.until = until
    return True


def _note(session: Session, program: ProgramInForce, member_id: int, cause: Cause) -> None:
    """Write that a member's tier is another one than the newest change says, if it is, and tell those who listen."""
    keys = {"brand_id": brand_of(session), "member_id": member_id, "program_id": program.id}
    was = session.connection().execute(sql.NEWEST, keys).scalar() or ""
    holds = _ends(row for row in _holds(session, member_id) if row.program_id == program.id)
    tier = rules.tier_for(program.plan.tiers, holds, clock.now())
    slug = tier.slug if tier else ""
    if slug == was:
        return
    change = TierChange(
        member_id=member_id, program_id=program.id, version_id=program.version_id, was=was, tier=slug,
        reason=_reason(program, cause, was, slug), purchase_id=cause.purchase_id, refund_id=cause.refund_id,
        occurred_at=cause.at, recorded_at=clock.now(),
    )  # fmt: skip
    session.add(change)
    session.flush()
    emit(session, TierChanged(member_id=member_id, program_id=program.id, was=was, tier=slug, change_id=change.id))


def _reason(program: ProgramInForce, cause: Cause, was: str, slug: str) -> str:
    ranks = {tier.slug: rank for rank, tier in enumerate(program.plan.tiers)}
    if cause.reason != "refund" and ranks.get(slug, -1) < ranks.get(was, -1):
        return "ended"  # a sale or a merge may find it before the job does
    return "rule" if slug in cause.set_to else cause.reason


def _standing(programs: Iterable[ProgramInForce]) -> list[ProgramInForce]:
    return [program for program in programs if program.kind == "standing"]


def _holds(session: Session, member_id: int) -> list[Any]:
    wanted = select(TierHold).where(TierHold.member_id == member_id).execution_options(populate_existing=True)
    return list(session.scalars(wanted))


def _ends(rows: Iterable[Any]) -> Mapping[str, datetime]:
    """Return until when each tier is held, by whichever source holds it longer."""
    found: dict[str, datetime] = {}
    for row in rows:
        found[row.tier] = max(row.until, found.get(row.tier, row.until))
    return found


def bought(session: Session, member_id: int, since: datetime, until: datetime) -> list[Day]:
    """Return what a member and those who were merged into it bought, day by day."""
    values = {"brand_id": brand_of(session), "since": since, "until": until}
    return [
        Day(*row)
        for one in lookup.family(session, member_id)
        for row in session.connection().execute(sql.DAYS, {**values, "member_id": one})
    ]


def _noon(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone)
