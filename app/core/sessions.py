"""Log-ins are rows, so that ending one works within a second. Whose they are, the doors know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import clock
from app.core.crypto import hash_token, new_token
from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, pub


class DoorSession(BrandOwned, Base):
    """One log-in at one door. The cookie's token is kept as a hash only."""

    __tablename__ = "door_session"
    __table_args__ = brand_table()

    public_id: Mapped[str] = pub()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True, info={"personal": "erase"})
    device: Mapped[str] = mapped_column(String(60), default="", info={"personal": "erase"})  # "Chrome on Android"
    door: Mapped[str] = mapped_column(String(16), info={"personal": "none"})  # member, till, brand
    subject_id: Mapped[int] = mapped_column(index=True)  # member, till or staff, as the door says: an upward reference
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Login:
    """Who a cookie belongs to."""

    id: int
    door: str
    brand_id: int
    subject_id: int


def start(session: Session, *, door: str, subject_id: int, lasts: timedelta, device: str = "") -> str:
    """Begin a log-in in the session's brand and return the token for the cookie, shown only now."""
    token = new_token()
    now = clock.now()
    row = DoorSession(
        token_hash=hash_token(token), door=door, subject_id=subject_id, started_at=now, ends_at=now + lasts
    )
    row.device = device[:60]
    session.add(row)
    session.flush()
    return token


def find(session: Session, token: str, *, door: str) -> Login | None:
    """Return whose log-in a cookie is; works without a brand, since the row names it."""
    row = session.scalar(
        select(DoorSession)
        .where(DoorSession.token_hash == hash_token(token), DoorSession.door == door, DoorSession.ends_at > clock.now())
        .execution_options(finds_brand=True)
    )
    return Login(row.id, row.door, row.brand_id, row.subject_id) if row else None


def end(session: Session, login_id: int) -> None:
    """End one log-in."""
    session.execute(delete(DoorSession).where(DoorSession.id == login_id))


def end_all(session: Session, *, door: str, subject_id: int) -> None:
    """End every log-in of one member, till or person."""
    session.execute(delete(DoorSession).where(DoorSession.door == door, DoorSession.subject_id == subject_id))


def of_subject(session: Session, *, door: str, subject_id: int) -> list[DoorSession]:
    """Return the live log-ins of one member, till or person, newest first."""
    mine = (DoorSession.door == door, DoorSession.subject_id == subject_id, DoorSession.ends_at > clock.now())
    return list(session.scalars(select(DoorSession).where(*mine).order_by(DoorSession.id.desc())))


def move(session: Session, *, door: str, from_id: int, to_id: int) -> None:
    """Let every log-in of one subject belong to another, as when two members turn out to be one."""
    session.execute(
        update(DoorSession).where(DoorSession.door == door, DoorSession.subject_id == from_id).values(subject_id=to_id)
    )
