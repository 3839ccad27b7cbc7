"""Reading a member's code at a till. A scan is an event: it lives 5 minutes, for one till.

Source: design.md section 6.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import same, totp, totp_step
from app.core.db import keyring
from app.core.errors import Conflict, NotFound
from app.core.i18n import gettext as _
from app.members import lookup
from app.members.models import Member, Scan
from app.members.rules import read_member_text
from app.network.models import Till

LIFETIME = timedelta(minutes=5)
STALE, USED = "code_stale", "code_used"  # notes of a scan that earns and may not redeem


class MemberCodeUnknown(NotFound):
    """The text names no member of this brand."""

    code = "member_code_unknown"


class ScanUnknown(NotFound):
    """No such scan at this till."""

    code = "scan_unknown"


class ScanExpired(Conflict):
    """The scan is older than 5 minutes; the member's code is to be scanned again."""

    code = "scan_expired"


class RedeemNotAllowed(Conflict):
    """A balance is spent with a scan that may redeem: a moving code, or one that the member's phone allowed."""

    code = "may_not_redeem"


def demand_redeem(scan: Scan | None) -> None:
    """Refuse to use what a member has with a scan that only earns, or with none.

    Raises:
        RedeemNotAllowed
    """
    if scan is None or not scan.may_redeem:
        raise RedeemNotAllowed(_("Please scan the moving code on the member's phone first."))


def read(session: Session, text: str, *, till: Till, may_guess: bool = True) -> Scan:
    """Read a member's code and use up its 30-second step.

    A static or spoken code earns. So does a code whose step is over or used, at a slow till or a second one: only
    `may_redeem` is refused then, and `note` says why. A merged member's code works on, with its own secret.

    Args:
        text: the QR's text of any case and host, a bare id, or the spoken code with spaces or dashes.
        may_guess: False after too many wrong digits: then they are stale unread, and nobody learns whether they fit.

    Raises:
        MemberCodeUnknown: it names nobody here; a foreign brand's code and an erased member's are the same.
    """
    said, owner = read_member_text(text), lookup.owner_of_code(session, text)
    member = lookup.live(session, owner.id) if owner else None
    if said is None or owner is None or member is None:
        raise MemberCodeUnknown(_("This is not the code of a card here."))
    note = None
    if said.digits:
        note = _use_step(session, owner, said.digits) if may_guess else STALE
    method = "rotating" if said.digits else "static" if said.id else "spoken"
    now = clock.now()
    scan = Scan(
        member_id=member.id, till_id=till.id, method=method, note=note, at=now, ends_at=now + LIFETIME,
        may_redeem=said.digits is not None and note is None,
    )  # fmt: skip
    session.add(scan)
    session.flush()
    return scan


def get(session: Session, public_id: str, *, till: Till, at: datetime | None = None) -> Scan:
    """Return a scan of this till.

    Args:
        at: when it was acted on, as an offline till tells later; now, where it is not given.

    Raises:
        ScanUnknown: no such scan, or another till's.
        ScanExpired: it is older than 5 minutes, or was not made yet; a till's clock may differ by as much.
    """
    scan = session.scalar(select(Scan).where(Scan.public_id == public_id, Scan.till_id == till.id))
    if scan is None:
        raise ScanUnknown(_("This till has not scanned that card."))
    if not scan.at - LIFETIME <= (at or clock.now()) < scan.ends_at:
        raise ScanExpired(_("The scan is too old. Please scan the card again."))
    return scan


def row_id(session: Session, public_id: str, *, till: Till) -> int | None:
    """Return the key of this till's scan, also of one whose time is over; None when there is none."""
    return session.scalar(select(Scan.id).where(Scan.public_id == public_id, Scan.till_id == till.id))


def _use_step(session: Session, owner: Member, digits: str) -> str | None:
    """Use up the step of a code; return why it may not redeem, or None.

    Steps only go up, so one UPDATE decides between two tills with the same code.
    """
    secret, now = keyring(session).decrypt(owner.totp_secret), totp_step(clock.now())
    fitting = [step for step in (now - 1, now, now + 1) if same(totp(secret, step), digits)]
    if not fitting:
        return STALE
    step = fitting[-1]
    used = update(Member).where(Member.id == owner.id, Member.totp_step < step).values(totp_step=step)
    return None if session.scalar(used.returning(Member.id)) is not None else USED
