"""A till asks the member's app whether a scan may redeem: a static code earns only, until its owner allows more.

The answer is one conditional UPDATE, so that of two at one moment one counts. Source: design.md, sections 6 and 7.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import new_id
from app.core.db import brand_of, inserting
from app.core.errors import Conflict, NotFound, TooMany
from app.core.events import emit
from app.core.i18n import gettext as _
from app.members.events import ConfirmationAsked
from app.members.models import Member, Scan, ScanConfirmation
from app.network.models import Outlet, Till

ASKED, ALLOWED, REFUSED = "asked", "allowed", "refused"
MOST_REFUSED = 3  # of one member at all tills together, then nobody asks for a while
PAUSE = timedelta(minutes=10)


class ConfirmationNotNeeded(Conflict):
    """The scan may redeem already: the member's moving code was read."""

    code = "confirmation_not_needed"


class ConfirmationRefusedOften(TooMany):
    """The member has refused three times within ten minutes and is left alone for a while."""

    code = "confirmation_refused_often"


class ConfirmationUnknown(NotFound):
    """Nobody has asked this member so."""

    code = "confirmation_unknown"


class ConfirmationAnswered(Conflict):
    """The question was answered before, the other way."""

    code = "confirmation_answered"


class ConfirmationOver(Conflict):
    """The scan is over, and the question with it."""

    code = "confirmation_over"


@dataclass(frozen=True)
class Question:
    """What a till wants to know of a member, and until when."""

    public_id: str
    outlet: str
    ends_at: datetime


def ask(session: Session, scan: Scan) -> ScanConfirmation:
    """Ask the member's app whether a scan may redeem; asked twice, the same question stands.

    Args:
        scan: a living one of the asking till, see `scans.get`.

    Raises:
        ConfirmationNotNeeded: it may redeem by itself.
        ConfirmationRefusedOften: the member has said no too often.
    """
    held = of_scan(session, scan)
    if held is not None and held.state != REFUSED:
        return held
    if scan.may_redeem:
        raise ConfirmationNotNeeded(_("Coupons and bonus can be used already."))
    now = clock.now()
    _leave_alone(session, scan.member_id, now)
    values = {
        "brand_id": brand_of(session), "public_id": new_id(now), "scan_id": scan.id, "member_id": scan.member_id,
        "state": ASKED, "at": now, "ends_at": scan.ends_at,
    }  # fmt: skip
    new = inserting(session)(ScanConfirmation).values(values).on_conflict_do_nothing()
    row_id = session.scalar(new.returning(ScanConfirmation.id))
    if row_id is not None:
        emit(session, ConfirmationAsked(confirmation_id=row_id))
    found = of_scan(session, scan)
    assert found is not None  # noqa: S101 - it was written, or stood in the way of being written
    return found


def of_scan(session: Session, scan: Scan) -> ScanConfirmation | None:
    """Return what was asked last for a scan; None where nothing was."""
    newest = select(ScanConfirmation).where(ScanConfirmation.scan_id == scan.id).order_by(ScanConfirmation.id.desc())
    return session.scalar(newest.limit(1).execution_options(populate_existing=True))


def answer(session: Session, member: Member, public_id: str, *, allow: bool) -> ScanConfirmation:
    """Answer a question, once; the same answer again changes nothing.

    Raises:
        ConfirmationUnknown: there is no such question, or it is another member's.
        ConfirmationAnswered: it was answered the other way.
        ConfirmationOver: its scan is over.
    """
    wanted = select(ScanConfirmation).where(
        ScanConfirmation.public_id == public_id, ScanConfirmation.member_id == member.id
    )
    row = session.scalar(wanted)
    if row is None:
        raise ConfirmationUnknown(_("There is no such question."))
    now, state = clock.now(), ALLOWED if allow else REFUSED
    standing = (ScanConfirmation.state == ASKED, ScanConfirmation.ends_at > now)
    said = update(ScanConfirmation).where(ScanConfirmation.id == row.id, *standing)
    done = session.scalar(said.values(state=state, answered_at=now).returning(ScanConfirmation.id))
    session.refresh(row)
    if done is None and row.state == ASKED:
        raise ConfirmationOver(_("The question is over. The shop may scan your card again."))
    if row.state != state:
        raise ConfirmationAnswered(_("You have answered this already."))
    if done is not None and allow:
        session.execute(update(Scan).where(Scan.id == row.scan_id).values(may_redeem=True))
    return row


def questions(session: Session, member: Member) -> list[Question]:
    """Return what tills ask of a member at this moment, the newest first."""
    open_now = (ScanConfirmation.state == ASKED, ScanConfirmation.ends_at > clock.now())
    rows = session.execute(
        select(ScanConfirmation.id, ScanConfirmation.public_id, Outlet.name, ScanConfirmation.ends_at)
        .join(Scan, Scan.id == ScanConfirmation.scan_id)
        .join(Till, Till.id == Scan.till_id)
        .join(Outlet, Outlet.id == Till.outlet_id)
        .where(ScanConfirmation.member_id == member.id, *open_now)
    )
    return [Question(*row[1:]) for row in sorted(rows, key=lambda row: -row[0])]


def _leave_alone(session: Session, member_id: int, now: datetime) -> None:
    since = now - PAUSE
    said_no = select(func.count(ScanConfirmation.id)).where(
        ScanConfirmation.member_id == member_id, ScanConfirmation.state == REFUSED, ScanConfirmation.ends_at > since,
        ScanConfirmation.answered_at > since,
    )  # fmt: skip
    if (session.scalar(said_no) or 0) >= MOST_REFUSED:
        message = _("The member has said “Not now” several times. Please leave it for a while.")
        raise ConfirmationRefusedOften(message, retry_after=int(PAUSE.total_seconds()))
