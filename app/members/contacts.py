"""Contacts as people type them: which kind, whether they can be right, and the one way in which they are kept."""

from dataclasses import dataclass
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType
from sqlalchemy.orm import Session

from app.core.db import brand_of, keyring
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.network.models import Brand

LENGTH = 254  # of an email address, as the mail protocol allows
DEFAULT_REGION = "FI"
_TAKES_SMS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_PHONE_SIGNS = frozenset("0123456789+-–()./ \u00a0")


class ContactInvalid(Invalid):
    """What was typed is no email address and no phone number."""

    code = "contact_invalid"

    def __init__(self, message: str, *, field: str = "contact", **extra: Any) -> None:
        super().__init__(message, field=field, **extra)


class EmailInvalid(ContactInvalid):
    """It has an @ and cannot be an email address."""

    code = "email_invalid"


class PhoneInvalid(ContactInvalid):
    """It is no number that exists in its country."""

    code = "phone_invalid"


class PhoneNotMobile(ContactInvalid):
    """The number exists but takes no text messages: a landline, a service number."""

    code = "phone_not_mobile"


@dataclass(frozen=True)
class ContactValue:
    """A contact as it is kept: lower-case ASCII email, or E.164 phone number."""

    kind: str  # email, phone
    value: str


def parse(text: str, *, region: str = DEFAULT_REGION) -> ContactValue:
    """Return what was typed in its one normal form; asks no name server.

    Args:
        text: as typed; spaces, dashes and case do not matter.
        region: two letters of the country in which a number without a country code is read.

    Raises:
        ContactInvalid: it is neither; subclasses say what is wrong with it.
    """
    plain = text.strip()
    if len(plain) > LENGTH:
        raise ContactInvalid(_("This is too long for an email address or a phone number."))
    if "@" in plain:
        return ContactValue("email", _email(plain))
    if not any(sign.isdigit() for sign in plain) or not _PHONE_SIGNS.issuperset(plain):
        raise ContactInvalid(_("Please type an email address or a mobile phone number."))
    return ContactValue("phone", _phone(plain, region))


def region_of(session: Session) -> str:
    """Return the country in which the session's brand reads phone numbers."""
    brand = session.get_one(Brand, brand_of(session))
    return str(brand.settings.get("region", DEFAULT_REGION))


def fingerprint(session: Session, contact: ContactValue) -> str:
    """Return the hash under which the brand finds a contact again without keeping it."""
    return keyring(session).lookup("contact", f"{brand_of(session)}:{contact.kind}:{contact.value}")


def _email(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise EmailInvalid(_("This email address cannot be right. Please check it.")) from None
    return (found.ascii_email or found.normalized).lower()


def _phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid(_("This phone number cannot be right. Please check it.")) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneInvalid(_("This phone number cannot be right. Please check it."))
    if phonenumbers.number_type(number) not in _TAKES_SMS:
        raise PhoneNotMobile(_("This number takes no text messages. Please type a mobile number."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
