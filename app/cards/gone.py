"""What was withdrawn or thrown away of a program: the row that says who did it, and what it had said."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Program, ProgramDraft, ProgramVersion, VersionGone
from app.core import clock
from app.network.models import Staff


def take_away(session: Session, row: ProgramVersion | ProgramDraft, staff: Staff, **said: Any) -> None:
    """Delete a row that nobody earned by, and keep what it said and who took it away.

    Args:
        said: the columns that versions and drafts do not share.
    """
    content = {"size": row.size, "reward_id": row.reward_id, "rule": row.rule}
    session.add(VersionGone(program_id=row.program_id, at=clock.now(), by=staff.public_id, **content, **said))
    session.delete(row)
    session.flush()


def recent(session: Session, program: Program, most: int) -> list[VersionGone]:
    """Return what was taken away last, the newest first."""
    wanted = select(VersionGone).where(VersionGone.program_id == program.id)
    return list(session.scalars(wanted.order_by(VersionGone.at.desc(), VersionGone.id.desc()).limit(most)))
