"""How a brand's way to Apple or Google is. A provider that is down is not asked for a while; what is due waits."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, inserting
from app.core.log import log
from app.network.models import Brand
from app.wallet.models import WalletChannel, WalletFault

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
LONGEST_ASKED = timedelta(hours=1)  # a longer Retry-After is not believed


def find(session: Session, kind: str) -> WalletChannel | None:
    """Return a brand's way to a provider, if it was ever used."""
    return session.scalar(select(WalletChannel).where(WalletChannel.kind == kind))


def pause(session: Session, kind: str) -> timedelta | None:
    """Return for how long the provider is not to be asked; None when it may be."""
    row = find(session, kind)
    if row is None or row.paused_until is None or row.paused_until <= clock.now():
        return None
    return row.paused_until - clock.now()


def worked(session: Session, kind: str) -> None:
    """Note that the provider took something; a row that says so already is left alone, to spare a write."""
    row = find(session, kind)
    now = clock.now()
    fresh = row is not None and row.worked_at is not None and now - row.worked_at < LONGEST_PAUSE
    if row is not None and fresh and not row.fault and row.paused_until is None:
        return
    row = row or _make(session, kind)
    row.worked_at, row.failures, row.fault, row.fault_at, row.paused_until = now, 0, "", None, None
    session.flush()


def failed(session: Session, kind: str, code: str, *, retry_after: float | None = None) -> timedelta:
    """Stop asking the provider for a while, the longer the more often it failed; return for how long."""
    row, now = find(session, kind) or _make(session, kind), clock.now()
    row.failures += 1
    grown: timedelta = min(FIRST_PAUSE * 2 ** min(row.failures - 1, 10), LONGEST_PAUSE)
    asked = min(timedelta(seconds=retry_after or 0), LONGEST_ASKED)
    wait: timedelta = max(grown, asked)
    if not row.fault:
        row.fault_at = now
        log.error("wallet channel paused", channel=kind, code=code)
    row.fault, row.paused_until = code, now + wait
    session.flush()
    count_fault(session, code)
    return wait


def release(session: Session, kind: str) -> None:
    """Ask the provider again at once: its certificate or account is another one."""
    row = find(session, kind)
    if row is not None:
        row.paused_until, row.failures = None, 0
        session.flush()


def count_fault(session: Session, code: str, n: int = 1) -> None:
    """Count a fault in the brand's day."""
    brand = session.get_one(Brand, brand_of(session))
    values = {"brand_id": brand.id, "day": clock.local_date(clock.now(), brand.zone), "code": code[:60], "n": n}
    insert = inserting(session)
    session.execute(
        insert(WalletFault)
        .values(values)
        .on_conflict_do_update(index_elements=["brand_id", "day", "code"], set_={"n": WalletFault.n + n})
    )


def _make(session: Session, kind: str) -> WalletChannel:
    insert = inserting(session)
    values = {"brand_id": brand_of(session), "kind": kind, "failures": 0, "fault": ""}
    session.execute(insert(WalletChannel).values(values).on_conflict_do_nothing(index_elements=["brand_id", "kind"]))
    return session.scalars(select(WalletChannel).where(WalletChannel.kind == kind)).one()
