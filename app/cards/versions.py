"""Versions of programs: drafts, publishing now or at a set time, and withdrawing what has not begun.

A version that has earned is never changed in place. Source: earning.md, "Programs".
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import gone, heard, rules
from app.cards.models import Award, Program, ProgramDraft, ProgramVersion, TriggerRun
from app.cards.rules import Plan
from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import gettext as _
from app.network.models import Chain, Outlet, Reseller, Staff
from app.rewards.models import Reward

FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # a program without rules at a moment would lose stamps
PLACES: dict[str, type[Outlet | Reseller | Chain]] = {"outlets": Outlet, "resellers": Reseller, "chains": Chain}
LATEST = timedelta(days=732)  # how far ahead a version may be planned
MOST_SIZE = 100  # places of a stamp card


class VersionUnknown(NotFound):
    """The program has no such version, or no draft."""

    code = "version_unknown"


class VersionBegun(Conflict):
    """The version holds or has held: it is not changed any more."""

    code = "version_begun"


class VersionConflict(Conflict):
    """Somebody else published a version meanwhile; `number` is the newest."""

    code = "version_conflict"


class BeginInvalid(Invalid):
    """A version begins now or later, within two years."""

    code = "begin_invalid"


class ContentInvalid(Invalid):
    """What the version says does not fit its program; `field` is size, reward or rule."""

    code = "content_invalid"


class RuleUnheard(ContentInvalid):
    """A rule waits for something that nothing reports, so it would never count; `rule` names it, `why` is a code."""

    code = "rule_unheard"


@dataclass(frozen=True)
class Content:
    """What a version says: its plan, and for a stamp card what fills it and which reward a full card gives."""

    plan: Plan
    size: int | None = None
    reward_id: int | None = None

    @classmethod
    def of(cls, kind: str, row: ProgramVersion | ProgramDraft) -> "Content":
        """Return what a row says."""
        return cls(rules.parse(kind, row.rule), row.size, row.reward_id)

    @property
    def columns(self) -> dict[str, Any]:
        """Return it as columns of a version or a draft."""
        return {"size": self.size, "reward_id": self.reward_id, "rule": self.plan.to_json()}


def check(session: Session, kind: str, content: Content) -> None:
    """Check what only the rest of the brand can say of a content; its plan was parsed for the kind.

    Raises:
        ContentInvalid
    """
    is_card = kind == "stamp_card"
    if is_card and not 1 <= (content.size or 0) <= MOST_SIZE:
        raise ContentInvalid(_("A stamp card has 1 to %(most)s places.", most=MOST_SIZE), field="size")
    if is_card and content.reward_id is None:
        raise ContentInvalid(_("Choose what a full card gives."), field="reward")
    if not is_card and (content.size is not None or content.reward_id is not None):
        raise ContentInvalid(_("Only a stamp card has places to fill."), field="size")
    wanted = rules.rewards_of(content.plan)
    known = set(session.scalars(select(Reward.slug).where(Reward.slug.in_(wanted)))) if wanted else set()
    if lacking := sorted(wanted - known):
        raise ContentInvalid(_("There is no reward “%(name)s”.", name=lacking[0]), field="rule")
    for name, slugs in rules.places_of(content.plan).items():
        there = set(session.scalars(select(PLACES[name].slug).where(PLACES[name].slug.in_(slugs)))) if slugs else set()
        if lacking := sorted(slugs - there):
            raise ContentInvalid(_("There is no place “%(name)s”.", name=lacking[0]), field="rule")
    if never := heard.unheard(kind, content.plan):
        raise RuleUnheard(never[0].sentence, field="rule", rule=never[0].rule, why=never[0].code)


def versions(session: Session, program: Program) -> list[ProgramVersion]:
    """Return the versions of a program, the newest number first."""
    rows = session.scalars(select(ProgramVersion).where(ProgramVersion.program_id == program.id))
    return sorted(rows, key=lambda row: -row.number)


def version(session: Session, program: Program, number: int) -> ProgramVersion:
    """Return a version by its number.

    Raises:
        VersionUnknown
    """
    wanted = select(ProgramVersion).where(ProgramVersion.program_id == program.id, ProgramVersion.number == number)
    row = session.scalar(wanted)
    if row is None:
        raise VersionUnknown(_("There is no such version."))
    return row


def current(session: Session, program: Program, at: datetime | None = None) -> ProgramVersion | None:
    """Return the version that holds at a moment, now unless one is said; None where none has begun."""
    moment = at or clock.now()
    begun = [row for row in versions(session, program) if row.valid_from <= moment]
    return max(begun, key=lambda row: (row.valid_from, row.number), default=None)


def draft(session: Session, program: Program) -> ProgramDraft | None:
    """Return the draft of a program."""
    return session.scalar(select(ProgramDraft).where(ProgramDraft.program_id == program.id))


def says(kind: str, row: ProgramVersion | ProgramDraft, content: Content) -> bool:
    """Tell whether a version or a draft says the same as a content."""
    return Content.of(kind, row) == content


def has_earned(session: Session, row: ProgramVersion) -> bool:
    """Tell whether anything was earned, or evaluated, by a version."""
    earned = select(Award.id).where(Award.version_id == row.id).limit(1)
    run = select(TriggerRun.id).where(TriggerRun.program_id == row.program_id, TriggerRun.version_id == row.id).limit(1)
    return any(session.scalar(query) is not None for query in (earned, run))


def add(
    session: Session, program: Program, content: Content, *, valid_from: datetime, staff: Staff | None = None
) -> ProgramVersion:
    """Write the next version of a program; the caller holds it."""
    last = select(func.max(ProgramVersion.number)).where(ProgramVersion.program_id == program.id)
    row = ProgramVersion(
        program_id=program.id, number=(session.scalar(last) or 0) + 1, valid_from=valid_from, created_at=clock.now(),
        created_by=staff.public_id if staff else None, **content.columns,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def hold(session: Session, program: Program) -> int:
    """Hold a program, so that its versions change one after the other; return the newest number, 0 without any."""
    session.execute(select(Program.id).where(Program.id == program.id).with_for_update())
    last = select(func.max(ProgramVersion.number)).where(ProgramVersion.program_id == program.id)
    return session.scalar(last) or 0


def save_draft(session: Session, program: Program, content: Content, *, staff: Staff) -> ProgramDraft:
    """Save what the next version is to say; the last one to save wins, nobody earns by a draft.

    Raises:
        ContentInvalid
    """
    check(session, program.kind, content)
    hold(session, program)
    row = draft(session, program)
    if row is None:
        row = ProgramDraft(program_id=program.id)
        session.add(row)
    for name, value in content.columns.items():
        setattr(row, name, value)
    row.saved_at, row.saved_by = clock.now(), staff.public_id
    session.flush()
    return row


def discard_draft(session: Session, program: Program, *, staff: Staff) -> None:
    """Throw the draft away and keep who did it; without one, nothing happens."""
    hold(session, program)
    row = draft(session, program)
    if row is not None:
        gone.take_away(session, row, staff, made_at=row.saved_at, made_by=row.saved_by)


def publish(
    session: Session, program: Program, *, based_on: int, content: Content, staff: Staff, at: datetime | None = None
) -> ProgramVersion:
    """Make the draft a version; the same click twice makes one.

    Args:
        based_on: the newest number that was seen when this was decided, 0 for none.
        content: what was seen as the draft.
        at: when it begins; None for now.

    Raises:
        VersionConflict: somebody published another version meanwhile, or the draft says something else by now.
        VersionUnknown: there is no draft.
        ContentInvalid, BeginInvalid: it cannot hold like this.
    """
    newest = hold(session, program)
    if newest != based_on:
        row = version(session, program, newest)
        if newest == based_on + 1 and row.created_by == staff.public_id and says(program.kind, row, content):
            return row
        raise VersionConflict(_("Version %(number)s was published meanwhile. Look at it first.", number=newest),
                              number=newest)  # fmt: skip
    saved = draft(session, program)
    if saved is None:
        raise VersionUnknown(_("There is no draft to publish."))
    if not says(program.kind, saved, content):
        raise VersionConflict(_("The draft was changed meanwhile. Look at it first."), number=newest)
    check(session, program.kind, content)
    row = add(session, program, content, valid_from=_begin(at), staff=staff)
    session.delete(saved)
    session.flush()
    return row


def _begin(at: datetime | None) -> datetime:
    now = clock.now()
    if at is None:
        return now
    if not now < at <= now + LATEST:
        raise BeginInvalid(_("Choose a moment that is still to come, within two years."))
    return at


def planned(session: Session, program: Program, number: int) -> ProgramVersion:
    """Hold and return a version that has not begun.

    Raises:
        VersionUnknown: there is none of this number.
        VersionBegun: it has begun, or a purchase of a till with a fast clock earned by it.
    """
    hold(session, program)
    row = version(session, program, number)
    session.refresh(row)
    if row.valid_from <= clock.now() or has_earned(session, row):
        raise VersionBegun(_("Version %(number)s has begun, so it stays as it is.", number=number))
    return row


def change_planned(
    session: Session, program: Program, number: int, *, content: Content | None = None, at: datetime | None = None,
    staff: Staff,
) -> ProgramVersion:  # fmt: skip
    """Change what a version that has not begun says, or when it begins.

    Raises:
        VersionUnknown, VersionBegun, ContentInvalid, BeginInvalid
    """
    row = planned(session, program, number)
    if content is not None:
        check(session, program.kind, content)
        for name, value in content.columns.items():
            setattr(row, name, value)
    if at is not None:
        row.valid_from = _begin(at)
    row.created_at, row.created_by = clock.now(), staff.public_id
    session.flush()
    return row


def withdraw(session: Session, program: Program, number: int, *, staff: Staff) -> None:
    """Take back a version that has not begun and keep who did it; where there is no draft, it becomes the draft.

    Raises:
        VersionUnknown, VersionBegun
    """
    row = planned(session, program, number)
    content = Content.of(program.kind, row)
    made = {"made_at": row.created_at, "made_by": row.created_by}
    gone.take_away(session, row, staff, number=row.number, valid_from=row.valid_from, **made)
    if draft(session, program) is None:
        save_draft(session, program, content, staff=staff)
