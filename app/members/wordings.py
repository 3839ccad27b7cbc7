"""Versions of the texts that people agree to or are shown. A changed text is a new version; none is ever changed."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.members.models import Wording
from app.network.models import Brand

LEGAL = ("terms", "privacy")
MARKETING_CHANNELS = ("email", "sms", "push")  # in the order of the form
CONSENT_CHANNELS = (*MARKETING_CHANNELS, "wallet")  # the last is asked for in the profile only, by who has a pass


class WordingUnknown(Invalid):
    """The page was made with a text that the brand does not have."""

    code = "wording_unknown"


def consent_kind(channel: str, purpose: str = "marketing") -> str:
    """Return the kind of a consent's sentence: `consent.email.marketing`."""
    return f"consent.{channel}.{purpose}"


def current(session: Session, kind: str, language: str) -> Wording | None:
    """Return the newest version in a language, else in the brand's own, else in any; None when the brand has none."""
    rows = session.scalars(select(Wording).where(Wording.kind == kind).order_by(Wording.version.desc())).all()
    own = session.get_one(Brand, brand_of(session)).default_language
    for wanted in (language, own):
        for row in rows:
            if row.language == wanted:
                return row
    return rows[0] if rows else None


def offered(session: Session, language: str, channels: Sequence[str] = MARKETING_CHANNELS) -> dict[str, Wording]:
    """Return channel → sentence of the marketing consents that the brand asks for, in the order of the form."""
    found = ((channel, current(session, consent_kind(channel), language)) for channel in channels)
    return {channel: wording for channel, wording in found if wording is not None}


def shown(session: Session, kind: str, public_id: str | None, language: str) -> Wording | None:
    """Return the text that a page showed, by its public id; without one the newest in the language.

    An older version is right too: it is what the person read.

    Raises:
        WordingUnknown: the brand has no such text of this kind.
    """
    if public_id is None:
        return current(session, kind, language)
    row = session.scalar(select(Wording).where(Wording.kind == kind, Wording.public_id == public_id))
    if row is None:
        raise WordingUnknown(_("The text has changed meanwhile. Please read it again."), field="form")
    return row


def publish(session: Session, *, kind: str, language: str, text: str) -> Wording | None:
    """Add a version when the text differs from the newest one; return it, or None when nothing changed."""
    newest = session.scalar(
        select(Wording)
        .where(Wording.kind == kind, Wording.language == language)
        .order_by(Wording.version.desc())
        .limit(1)
    )
    digest = text_hash(text)
    if newest is not None and newest.sha256 == digest:
        return None
    version = newest.version + 1 if newest else 1
    row = Wording(kind=kind, language=language, version=version, text=text, sha256=digest, at=clock.now())
    session.add(row)
    session.flush()
    return row


def text_hash(text: str) -> str:
    """Return the hash that a consent keeps of what was read."""
    return hashlib.sha256(text.encode()).hexdigest()
