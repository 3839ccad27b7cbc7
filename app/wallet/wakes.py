"""Waking phones through Apple: which ones are due, and what became of it.

A phone is due while `due` is above `woken`. A worker takes it for a short lease, so that two workers do not wake it
twice; what fails stays due, so nothing is lost while Apple or our certificate is down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, keyring
from app.core.events import emit
from app.core.outbound import Identity, Outgoing
from app.core.runtime import Runtime
from app.wallet import apns, channels
from app.wallet.apns import Wake
from app.wallet.events import PhonesDue
from app.wallet.models import WalletDevice, WalletRegistration
from app.wallet.outgoing import outbound
from app.wallet.signer import SignerError
from app.wallet.tools import Tools

MOST = 500  # phones of one round
LEASE = timedelta(seconds=60)
SECONDS = 10  # that Apple has to answer
AGAIN = timedelta(seconds=30)  # for one phone that Apple did not take


@dataclass(frozen=True)
class Due:
    """A phone to be woken up to a version; `repr` leaves its token out."""

    device_id: int
    version: int
    pass_type: str
    token: str = field(repr=False)
    identity: Identity = field(repr=False)


@dataclass(frozen=True)
class Woken:
    """What became of one wake-up."""

    due: Due
    wake: Wake


def claim(session: Session, runtime: Runtime) -> list[Due]:
    """Take the phones of a brand that are due; none while its channel is paused or its certificate is bad."""
    now = clock.now()
    free = or_(WalletDevice.sending_until.is_(None), WalletDevice.sending_until <= now)
    wanted = select(WalletDevice).where(WalletDevice.due > WalletDevice.woken, free).limit(MOST)
    rows = session.scalars(wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    if not rows:
        _look_later(session)
        return []
    wait = channels.pause(session, "apple")
    if wait is None:
        try:
            tools = Tools.of(runtime)
            identity = tools.identity(tools.signer(session))
        except SignerError as error:
            wait = channels.failed(session, "apple", error.code)
    if wait is not None:
        emit(session, PhonesDue(brand_id=brand_of(session)), delay=wait)
        return []
    keys = keyring(session)
    for row in rows:
        row.sending_until = now + LEASE
    session.flush()
    return [Due(row.id, row.due, row.pass_type, keys.text(row.push_token), identity) for row in rows]


def _look_later(session: Session) -> None:
    """Look again when the lease of the first phone ends: its worker may have died, or Apple asked for a pause."""
    due = (WalletDevice.due > WalletDevice.woken, WalletDevice.sending_until.is_not(None))
    until = session.scalar(select(func.min(WalletDevice.sending_until)).where(*due))
    if until is not None:
        emit(session, PhonesDue(brand_id=brand_of(session)), delay=max(until - clock.now(), timedelta()))


def send(runtime: Runtime, dues: Sequence[Due]) -> list[Woken]:
    """Speak to Apple; no session is open."""
    requests: list[Outgoing] = [apns.wake_up(due.token, due.pass_type, due.identity) for due in dues]
    answers = outbound(runtime).request_many(requests, seconds=SECONDS)
    return [Woken(due, apns.classify(answer)) for due, answer in zip(dues, answers, strict=True)]


def finish(session: Session, woken: Sequence[Woken]) -> None:
    """Write what became of each wake-up, and ask again for what is still due."""
    if not woken:
        return
    ids = sorted(one.due.device_id for one in woken)
    locked = select(WalletDevice).where(WalletDevice.id.in_(ids)).order_by(WalletDevice.id)
    rows = {row.id: row for row in session.scalars(locked.with_for_update())}
    for one in woken:
        row = rows.get(one.due.device_id)
        if row is not None:
            _end(session, row, one)
    session.flush()
    stuck = [one.wake for one in woken if one.wake.outcome in ("retry", "misconfigured")]
    wait = timedelta()
    if stuck and not any(one.wake.outcome == "accepted" for one in woken):
        longest = max((wake.retry_after or 0 for wake in stuck), default=0)
        wait = channels.failed(session, "apple", stuck[0].reason, retry_after=longest)
    elif any(one.wake.outcome == "accepted" for one in woken):
        channels.worked(session, "apple")
        wait = AGAIN if stuck or any(one.wake.outcome == "throttled" for one in woken) else wait
    left = select(WalletDevice.id).where(WalletDevice.due > WalletDevice.woken).limit(1)
    if session.scalars(left).first() is not None:
        emit(session, PhonesDue(brand_id=brand_of(session)), delay=wait)


def _end(session: Session, row: WalletDevice, one: Woken) -> None:
    due, wake, now = one.due, one.wake, clock.now()
    row.sending_until = None
    if wake.outcome == "accepted":
        row.woken, row.woken_at = max(row.woken, due.version), now
        return
    same_token = keyring(session).text(row.push_token) == due.token
    if not same_token:
        return  # it registered with a new token meanwhile, and is due under that one
    if wake.outcome == "gone" and (wake.gone_since is None or row.token_at <= wake.gone_since):
        session.execute(delete(WalletRegistration).where(WalletRegistration.device_id == row.id))
        session.delete(row)
        channels.count_fault(session, wake.reason)
    elif wake.outcome in ("gone", "rejected"):
        row.woken = max(row.woken, due.version)  # asking again changes nothing; the next change tries anew
        channels.count_fault(session, wake.reason)
    elif wake.outcome == "throttled":
        row.sending_until = now + max(AGAIN, timedelta(seconds=wake.retry_after or 0))
