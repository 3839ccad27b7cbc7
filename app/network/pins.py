"""PINs of managers: at a till they approve what a cashier may not give alone."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.crypto import same
from app.core.db import keyring
from app.core.errors import Forbidden, Invalid
from app.core.i18n import gettext as _
from app.network.models import Staff
from app.network.staff import has_left

MAY_APPROVE = ("brand_admin", "reseller_manager")
_PIN = re.compile(r"[0-9]{4,6}")


class PinInvalid(Invalid):
    """A PIN has 4 to 6 digits, and only managers have one."""

    code = "pin_invalid"


class ApprovalRefused(Forbidden):
    """Staff and PIN do not belong together, or this person may not approve here: one answer for all."""

    code = "approval_refused"


def set_pin(session: Session, person: Staff, pin: str) -> None:
    """Give a manager a PIN.

    It is kept as an HMAC: so few digits are found at once in a hash that anybody can count, and nobody can count this
    one without the service's own secret.

    Raises:
        PinInvalid: not 4 to 6 digits, or the person is no manager.
    """
    if person.role not in MAY_APPROVE:
        raise PinInvalid(_("Only administrators and managers of resellers have a PIN."))
    if not _PIN.fullmatch(pin):
        raise PinInvalid(_("A PIN has 4 to 6 digits."))
    person.pin_hash = _hash(session, person.public_id, pin)
    session.flush()


def check_pin(session: Session, public_id: str, pin: str, *, reseller_id: int) -> Staff:
    """Return the manager who approves at a till of a reseller: that reseller's own, or the brand's administrator.

    The door counts tries before it asks here.

    Raises:
        ApprovalRefused: unknown, wrong PIN, none yet, no manager, another reseller's, or has left.
    """
    at_home = Staff.reseller_id.is_(None) | (Staff.reseller_id == reseller_id)
    wanted = select(Staff).where(Staff.public_id == public_id, at_home, Staff.role.in_(MAY_APPROVE))
    person = session.scalar(wanted)
    fits = same(person.pin_hash or "" if person else "", _hash(session, public_id, pin))
    if person is None or not fits or has_left(person):
        raise ApprovalRefused(_("This PIN cannot approve it."))
    return person


def approvers(session: Session, *, reseller_id: int) -> list[Staff]:
    """Return who may approve at a till of a reseller and has a PIN: its own managers first, each by name."""
    at_home = Staff.reseller_id.is_(None) | (Staff.reseller_id == reseller_id)
    wanted = select(Staff).where(at_home, Staff.role.in_(MAY_APPROVE), Staff.pin_hash.is_not(None))
    there = [person for person in session.scalars(wanted) if not has_left(person)]
    return sorted(there, key=lambda person: (person.reseller_id is None, person.name))


def _hash(session: Session, public_id: str, pin: str) -> str:
    return keyring(session).lookup("pin", f"{public_id}:{pin}")
