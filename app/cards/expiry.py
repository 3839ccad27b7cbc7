"""What falls due by itself: lots that expire, and pending ones that can be spent. Source: earning.md, "Ledger".

Jobs settle it for everybody, and a sale does for its member: it must not use a lot that the job has not ended yet.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from app.cards.events import progressed
from app.core.db import brand_of
from app.core.events import emit
from app.core.tables import UtcDateTime
from app.ledger.accounts import OpenAccount, OpenLot, open_accounts

# In SQL, since the indexes of open lots are partial: a bound zero would not be seen to fit them. The plus keeps SQLite
# from walking all lots of the brand by its UNIQUE (brand_id, id).
_DUE = (
    "SELECT a.member_id, a.program_id, l.id, e.version_id FROM lot l "
    "JOIN account a ON a.brand_id = l.brand_id AND a.id = l.account_id "
    "JOIN ledger_entry e ON e.brand_id = l.brand_id AND e.id = l.entry_id "
    "WHERE +l.brand_id = :brand_id AND l.remaining > 0 AND {due} ORDER BY l.{moment}, l.id LIMIT :most"
)
_MOMENT = bindparam("now", type_=UtcDateTime)
_OVER = text(_DUE.format(due="l.expires_at <= :now", moment="expires_at")).bindparams(_MOMENT)
_RIPE = text(
    _DUE.format(
        due="l.pending AND l.release_at <= :now AND (l.expires_at IS NULL OR l.expires_at > l.release_at)",
        moment="release_at",
    )
).bindparams(_MOMENT)

EXPIRED, RELEASED = "expired", "released"  # reasons of the entries
# Begins with the member's accounts: of a month's end, thousands of lots may be due at once.
_OF_MEMBER = text(
    "SELECT a.member_id, a.program_id, l.id, e.version_id FROM account a "
    "CROSS JOIN lot l CROSS JOIN ledger_entry e WHERE a.brand_id = :brand_id AND a.member_id = :member_id "
    "AND l.brand_id = a.brand_id AND l.account_id = a.id AND l.remaining > 0 AND l.expires_at <= :now "
    "AND e.brand_id = l.brand_id AND e.id = l.entry_id"
).bindparams(_MOMENT)

Versions = dict[int, int | None]  # lot → the version that it was earned under
Settle = Callable[[OpenAccount, Versions, datetime], list[int]]


def expire_due(session: Session, *, now: datetime, most: int = 500) -> int:
    """End the lots whose time is over; return how many were due. Nothing but their accounts changes.

    Args:
        most: lots of one unit, those that are over the longest first.
    """
    return _settle_all(session, _OVER, _expire, why=EXPIRED, now=now, most=most)


def release_due(session: Session, *, now: datetime, most: int = 500) -> int:
    """Make spendable what was pending until now; return how many lots were due. Nothing but their accounts changes.

    Args:
        most: lots of one unit, those that wait the longest first.
    """
    return _settle_all(session, _RIPE, _release, why=RELEASED, now=now, most=most)


def open_current(
    session: Session, *, member_id: int, program_ids: list[int], context: dict[str, Any]
) -> dict[int, OpenAccount]:
    """Lock a member's accounts as `open_accounts` does, and end the lots that are over at `occurred_at`."""
    accounts = open_accounts(session, member_id=member_id, program_ids=program_ids, context={})
    end_over(session, accounts, member_id=member_id, context=context)
    return accounts


def end_over(session: Session, accounts: dict[int, OpenAccount], *, member_id: int, context: dict[str, Any]) -> None:
    """End the lots of a member's locked accounts that are over at `occurred_at`; later entries share `context`."""
    values = {"brand_id": brand_of(session), "member_id": member_id, "now": context["occurred_at"]}
    for account in accounts.values():
        account.context["reason"] = EXPIRED
    rows = session.connection().execute(_OF_MEMBER, values).all()
    for program_id, versions in sorted(_by_member(rows)[member_id].items()):
        _settle(session, accounts[program_id], versions, _expire, member_id=member_id, now=values["now"])
    for account in accounts.values():
        account.context |= {"reason": "", **context}


def _settle_all(session: Session, due: Any, settle: Settle, *, why: str, now: datetime, most: int) -> int:
    """Settle lots member by member in id order: whoever locks several members' accounts takes them in that order."""
    values = {"brand_id": brand_of(session), "now": now, "most": most}
    rows = session.connection().execute(due, values).all()
    for member_id, programs in sorted(_by_member(rows).items()):
        accounts = open_accounts(session, member_id=member_id, program_ids=[], context={"reason": why})
        for program_id, versions in sorted(programs.items()):
            _settle(session, accounts[program_id], versions, settle, member_id=member_id, now=now)
    return len(rows)


def _by_member(rows: Iterable[Any]) -> defaultdict[int, defaultdict[int, Versions]]:
    """Return what is due by member and program."""
    lots: defaultdict[int, defaultdict[int, Versions]] = defaultdict(lambda: defaultdict(dict))
    for member_id, program_id, lot_id, version_id in rows:
        lots[member_id][program_id][lot_id] = version_id
    return lots


def _settle(
    session: Session, account: OpenAccount, versions: Versions, settle: Settle, *, member_id: int, now: datetime
) -> None:
    before = account.balance
    entries = settle(account, versions, now)
    if entries:
        emit(
            session,
            progressed(
                member_id=member_id, program_id=account.program_id, amount=account.balance - before, purchase_id=None,
                entry_id=entries[-1],
            ),
        )  # fmt: skip


def _expire(account: OpenAccount, versions: Versions, now: datetime) -> list[int]:
    """End lots at the moment of their expiry; what was to be released before then pays a debt first."""
    entries = _release(account, versions, now)
    for lot in _still(account, versions):
        if lot.expires_at is not None and lot.expires_at <= now:
            entries.append(account.end_lot(lot, occurred_at=lot.expires_at, version_id=versions[lot.id]))
    return entries


def _release(account: OpenAccount, versions: Versions, now: datetime) -> list[int]:
    """Release lots at their moment, but for those that expire before it."""
    waiting = [lot for lot in _still(account, versions) if lot.pending and _ripens(lot, now)]
    return [
        account.release(lot, occurred_at=lot.release_at, version_id=versions[lot.id], reason=RELEASED)
        for lot in sorted(waiting, key=attrgetter("release_at"))
    ]


def _ripens(lot: OpenLot, now: datetime) -> bool:
    at = lot.release_at
    return at is not None and at <= now and (lot.expires_at is None or at < lot.expires_at)


def _still(account: OpenAccount, versions: Versions) -> Iterable[OpenLot]:
    """Read, under the lock, which of the lots have something left: a sale may have been faster."""
    return [lot for lot in account.lots() if lot.id in versions]
