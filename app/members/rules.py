"""Pure helpers: how names and contacts are shown, and what a scanned or typed text says. Knows no database."""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers

from app.core.crypto import SYMBOLS, normalize_code

NAME_LENGTH = 60
CODE_LENGTH = 16  # symbols of the code in the QR
SPOKEN_LENGTH = 8
TEXT_LENGTH = 200  # more than any QR of ours holds

_SYMBOL = f"[{SYMBOLS}]"
# A USB scanner set to another keyboard types - for / and the like, so the sign before M and the id may be any.
_OTHER = "[^A-Z0-9]"
_LINK = re.compile(
    rf"HTTPS?{_OTHER}.*{_OTHER}M{_OTHER}(?P<id>{_SYMBOL}{{{CODE_LENGTH}}})(?:\.(?P<digits>[0-9]{{6}}))?{_OTHER}?",
    re.DOTALL,
)
_BARE = re.compile(rf"(?P<id>{_SYMBOL}{{{CODE_LENGTH}}})(?:\.(?P<digits>[0-9]{{6}}))?")
_SPOKEN = re.compile(rf"{_SYMBOL}{{{SPOKEN_LENGTH}}}")
_MARKS_IN_A_ROW = 3  # real names have two at most; a stack of them paints over the lines around it


@dataclass(frozen=True)
class MemberText:
    """What a scanned or typed text says: the code of a QR with or without its 6 digits, or a spoken code."""

    id: str | None = None
    spoken: str | None = None
    digits: str | None = None


def read_member_text(text: str) -> MemberText | None:
    """Read `HTTPS://HOST/M/<id>[.<digits>]` of any host and case, a bare id, or a spoken code with spaces or dashes."""
    if len(text) > TEXT_LENGTH:
        return None
    plain = text.strip().upper()
    code = normalize_code(plain)
    found = _LINK.fullmatch(plain) or _BARE.fullmatch(code)
    if found:
        return MemberText(id=found["id"], digits=found["digits"])
    return MemberText(spoken=code) if _SPOKEN.fullmatch(code) else None


def clean_name(text: str) -> str:
    """Return a person's name as it is kept: NFC, single spaces.

    Only letters, marks, spaces, apostrophes, hyphens and points: a name is shown in messages, where a link, a
    control sign or a change of direction would speak for somebody else.

    Raises:
        ValueError: it is too long or holds anything else.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    marks = 0
    for sign in name:
        category = unicodedata.category(sign)
        marks = marks + 1 if category.startswith("M") else 0
        if marks > _MARKS_IN_A_ROW or not (category[0] in "LM" or sign in " -'’.·"):
            raise ValueError("a sign that no name has")
    if len(name) > NAME_LENGTH or not any(sign.isalpha() for sign in name):
        raise ValueError("too long or without a letter")
    if re.search(r"\.\w{2}", name):
        raise ValueError("looks like an address")
    return name


def display_name(first_name: str | None, last_name: str | None) -> str:
    """Return the first name and the initial, `Aino K.`; empty when neither is known."""
    initial = f"{last_name[0].upper()}." if last_name else ""
    return " ".join(filter(None, (first_name or "", initial)))


def initials(first_name: str | None, last_name: str | None) -> str:
    """Return up to two initials, `AK`; empty when no name is known."""
    return "".join(name[0].upper() for name in (first_name, last_name) if name)


def mask_contact(kind: str, value: str) -> str:
    """Return a contact that its owner recognizes and nobody else learns: `a•••@example.com`, `+358 •• ••• 4567`."""
    if kind == "email":
        local, _, domain = value.partition("@")
        return f"{local[:1]}•••@{domain}"
    number = phonenumbers.parse(value)
    return f"+{number.country_code} •• ••• {value[-4:]}"


def show_contact(kind: str, value: str) -> str:
    """Return a contact as its owner reads it: a phone number in groups."""
    if kind == "email":
        return value
    return phonenumbers.format_number(phonenumbers.parse(value), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
