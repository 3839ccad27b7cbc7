"""People who work for the brand or a reseller, and their passwords."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.errors import Invalid, NotFound, Unauthorized
from app.core.i18n import gettext as _
from app.network.models import Staff

DOOR = "brand"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128

_hasher = PasswordHasher()  # argon2id, 64 MiB, three passes: RFC 9106, second recommendation


class StaffUnknown(NotFound):
    """Nobody of this brand has this email."""

    code = "staff_unknown"


class EmailInvalid(Invalid):
    """Not an email address."""

    code = "email_invalid"


class PasswordRefused(Invalid):
    """Too short or too long."""

    code = "password_refused"


class LoginRefused(Unauthorized):
    """Email and password do not belong together, or the person has left: one answer for all."""

    code = "login_refused"


def email_address(text: str) -> str:
    """Return an email address normalized, in lower case.

    Raises:
        EmailInvalid: it is none.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise EmailInvalid(_("This is not an email address.")) from None


def staff_by_email(session: Session, email: str) -> Staff | None:
    """Return a person by email; works without a brand, since emails are unique over the installation."""
    wanted = select(Staff).where(Staff.email == email.strip().lower())
    return session.scalar(wanted.execution_options(finds_brand=True))


def staff_of_brand(session: Session, email: str) -> Staff:
    """Return a person of the session's brand.

    Raises:
        StaffUnknown: there is none.
    """
    person = session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
    if person is None:
        raise StaffUnknown(_("Nobody of this brand has this email."))
    return person


def staff_by_id(session: Session, staff_id: int) -> Staff:
    """Return a person of the session's brand who still works there.

    Raises:
        StaffUnknown: not of this brand, or has left.
    """
    person = session.scalar(select(Staff).where(Staff.id == staff_id))
    if person is None or has_left(person):
        raise StaffUnknown(_("Nobody of this brand has this email."))
    return person


def cashier(session: Session, public_id: str, *, reseller_id: int) -> Staff:
    """Return who a till says stood at it: somebody of its own reseller, or of the brand; also when they left since.

    Raises:
        StaffUnknown: not of this brand, or another reseller's.
    """
    at_home = Staff.reseller_id.is_(None) | (Staff.reseller_id == reseller_id)
    person = session.scalar(select(Staff).where(Staff.public_id == public_id, at_home))
    if person is None:
        raise StaffUnknown(_("Nobody who works here has this id."))
    return person


def has_left(person: Staff) -> bool:
    """Tell whether a person's work here has ended."""
    return person.ended_at is not None and person.ended_at <= clock.now()


def set_password(session: Session, person: Staff, password: str) -> None:
    """Set a password and end all log-ins made with the old one.

    Raises:
        PasswordRefused: under 12 or over 128 characters.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PasswordRefused(
            _("A password has %(low)s to %(high)s characters.", low=SHORTEST_PASSWORD, high=LONGEST_PASSWORD)
        )
    person.password_hash = _hasher.hash(password)
    sessions.end_all(session, door=DOOR, subject_id=person.id)
    session.flush()


def check_password(session: Session, email: str, password: str) -> Staff:
    """Return who logs in; an unknown email costs the same time as a wrong password.

    The door counts tries before it asks here.

    Raises:
        LoginRefused: unknown email, wrong password, no password yet, or the person has left.
    """
    person = staff_by_email(session, email)
    sealed, decoy = person.password_hash if person is not None else None, _nobody()
    fits = _fits(sealed or decoy, password[: LONGEST_PASSWORD + 1])
    if person is None or sealed is None or not fits or has_left(person):
        raise LoginRefused(_("Email and password do not belong together."))
    return person


def _fits(sealed: str, password: str) -> bool:
    try:
        return _hasher.verify(sealed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Return a hash that no password fits, so that unknown emails cost the same."""
    return _hasher.hash(f"nobody {clock.now().timestamp()}")
