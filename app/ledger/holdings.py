"""What a member holds in each program: the balance, what waits for its release, and what ends first."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.tables import UtcDateTime

_ACCOUNTS = text(
    "SELECT program_id, balance, pending FROM account WHERE brand_id = :brand_id AND member_id = :member_id"
)
# CROSS JOIN keeps SQLite at the member's accounts first; in SQL, since the index of open lots is partial.
_DATED = text(
    "SELECT a.program_id, l.pending, l.expires_at, l.release_at, sum(l.remaining) AS amount "
    "FROM account a CROSS JOIN lot l WHERE a.brand_id = :brand_id AND a.member_id = :member_id "
    "AND l.brand_id = a.brand_id AND l.account_id = a.id AND l.remaining > 0 "
    "AND (l.expires_at IS NOT NULL OR l.pending) GROUP BY a.program_id, l.pending, l.expires_at, l.release_at"
).columns(pending=Boolean, expires_at=UtcDateTime, release_at=UtcDateTime)


@dataclass(frozen=True)
class Dated:
    """An amount of units, and the moment at which something happens to it."""

    amount: int
    at: datetime


@dataclass(frozen=True)
class Holding:
    """What one account holds, in whole units: cents for kinds that count money.

    `expires` is what can be used and ends first, `at` being the first moment without it; `releases` is what waits and
    can be used first.
    """

    balance: int = 0  # below zero it is a debt
    pending: int = 0
    expires: Dated | None = field(default=None)
    releases: Dated | None = field(default=None)


def holdings(session: Session, member_id: int) -> dict[int, Holding]:
    """Return what a member holds in each program that has an account."""
    connection, keys = session.connection(), {"brand_id": brand_of(session), "member_id": member_id}
    accounts = connection.execute(_ACCOUNTS, keys).all()
    if not accounts:
        return {}
    now = clock.now()
    ending: dict[int, list[Dated]] = {}
    waiting: dict[int, list[Dated]] = {}
    for row in connection.execute(_DATED, keys):
        found, at = (waiting, row.release_at) if row.pending else (ending, row.expires_at)
        if at is not None and at > now:  # what is over is settled by a job within minutes
            found.setdefault(row.program_id, []).append(Dated(int(row.amount), at))
    return {
        row.program_id: Holding(
            row.balance, row.pending, _first(ending.get(row.program_id)), _first(waiting.get(row.program_id))
        )
        for row in accounts
    }


def _first(parts: list[Dated] | None) -> Dated | None:
    """Return the parts of the first moment together."""
    if not parts:
        return None
    at = min(part.at for part in parts)
    return Dated(sum(part.amount for part in parts if part.at == at), at)
