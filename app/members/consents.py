"""Marketing consents: an append-only log by channel. What holds is the newest event of (member, channel, purpose).

Source: earning.md, "Members, consent, erasure"; design.md section 3, "Members and contacts".
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Invalid
from app.core.events import emit
from app.core.i18n import gettext as _
from app.members import lookup, wordings
from app.members.events import MemberChanged
from app.members.models import ConsentEvent, Contact, Member, Wording

GRANTED = ("granted", "renewed")
OPEN = (*GRANTED, "pending")
CONTACT_OF = {"email": "email", "sms": "phone"}  # the channel's contact; push has none
_CHANNEL_OF = {kind: channel for channel, kind in CONTACT_OF.items()}


class ContactMissing(Invalid):
    """A channel was ticked whose contact is not known; `channel` and `kind` say which."""

    code = "contact_missing"

    def __init__(self, channel: str, *, field: str = "contact_2") -> None:
        kind = CONTACT_OF[channel]
        texts = {
            "email": _("To get email, please give your email address too."),
            "phone": _("To get text messages, please give your mobile number too."),
        }
        super().__init__(texts[kind], channel=channel, kind=kind, field=field)


class ConsentNotOffered(Invalid):
    """The brand asks for no consent for this channel, so none can be given."""

    code = "consent_not_offered"


def record(
    session: Session,
    member: Member,
    channel: str,
    state: str,
    *,
    source: str,
    method: str,
    wording: tuple[int | None, str | None],
    outlet_id: int | None = None,
    staff_id: int | None = None,
    purpose: str = "marketing",
) -> ConsentEvent:
    """Write one change of a consent.

    Args:
        wording: id and hash of the text that was read, see `proof`.
        source: where: web, poster, outlet, till, profile …
        method: how: tick, double_opt_in, subscribed, absorbed.
    """
    event = ConsentEvent(
        member_id=member.id, channel=channel, purpose=purpose, state=state, at=clock.now(), source=source,
        method=method, wording_id=wording[0], wording_sha256=wording[1], outlet_id=outlet_id, staff_id=staff_id,
    )  # fmt: skip
    session.add(event)
    session.flush()
    return event


def proof(text: Wording | ConsentEvent) -> tuple[int | None, str | None]:
    """Return what a consent event keeps of the text that was read: its row and its hash."""
    return (text.id, text.sha256) if isinstance(text, Wording) else (text.wording_id, text.wording_sha256)


def current(session: Session, member_id: int, *, purpose: str = "marketing") -> dict[str, ConsentEvent]:
    """Return channel → the event that holds now. A channel that was never asked for is missing."""
    newest = (
        select(func.max(ConsentEvent.id))
        .where(ConsentEvent.member_id == member_id, ConsentEvent.purpose == purpose)
        .group_by(ConsentEvent.channel)
    )
    rows = session.scalars(select(ConsentEvent).where(ConsentEvent.id.in_(newest)))
    return {row.channel: row for row in rows}


def granted(session: Session, member_id: int, channel: str, *, purpose: str = "marketing") -> bool:
    """Tell whether marketing may be sent to the member on this channel now. Asked at send time."""
    event = current(session, member_id, purpose=purpose).get(channel)
    return event is not None and event.state in GRANTED


def give(
    session: Session, member: Member, channel: str, *, wording: str | None, source: str = "profile", live: bool = False
) -> ConsentEvent:
    """Give a consent from the member's own page.

    It is pending until the contact is confirmed, push until the browser is subscribed. Giving again what holds
    changes nothing, but for a newer text, which renews it.

    Args:
        wording: public id of the sentence that the page showed.
        live: the channel itself is ready, such as a push subscription that exists.

    Raises:
        ContactMissing: the member has no contact for the channel.
        ConsentNotOffered: the brand has no sentence for it.
        WordingUnknown: the page showed a text that the brand does not have.
    """
    lookup.lock(session, member.id)
    text = wordings.shown(session, wordings.consent_kind(channel), wording, member.language)
    if text is None:
        raise ConsentNotOffered(_("This consent is not asked for."), channel=channel)
    if channel in CONTACT_OF:
        known = _confirmed(session, member, channel)
        if not known:
            raise ContactMissing(channel, field=channel)
        live = any(known)
    was = current(session, member.id).get(channel)
    state = "granted" if live else "pending"
    if was is not None and was.state in OPEN:
        if was.wording_id == text.id and (was.state in GRANTED) >= live:
            return was
        state = "renewed" if was.state in GRANTED else state
    return record(session, member, channel, state, source=source, method="tick", wording=proof(text))


def withdraw(session: Session, member: Member, channel: str, *, source: str = "profile") -> ConsentEvent | None:
    """Withdraw a consent, pending ones too; None when there was none. Nothing is sent from this commit on."""
    lookup.lock(session, member.id)
    was = current(session, member.id).get(channel)
    if was is None or was.state not in OPEN:
        return None
    if channel == "wallet":
        emit(session, MemberChanged(member_id=member.id))  # what the brand wrote on the card goes
    return record(session, member, channel, "withdrawn", source=source, method="tick", wording=proof(was))


def contact_confirmed(session: Session, member: Member, kind: str) -> ConsentEvent | None:
    """Grant the pending consent that waited for a contact of this kind; None when none waited."""
    return _grant(session, member, _CHANNEL_OF[kind], method="double_opt_in")


def subscribed(session: Session, member: Member) -> ConsentEvent | None:
    """Grant the pending push consent: a browser of the member is subscribed now."""
    return _grant(session, member, "push", method="subscribed")


def absorb(session: Session, newcomer: Member, into: Member) -> None:
    """Copy what the newcomer decided to the member it became, where that is the newer decision.

    A tick that waited for a contact waits on unless the member has proved that contact already, and never weakens a
    consent that holds. To be called when the contacts have moved.
    """
    held = current(session, into.id)
    for channel, event in current(session, newcomer.id).items():
        was = held.get(channel)
        if was is not None and (was.at > event.at or (event.state == "pending" and was.state in GRANTED)):
            continue
        origin: dict[str, Any] = {"source": event.source, "outlet_id": event.outlet_id, "staff_id": event.staff_id}
        record(session, into, channel, event.state, method="absorbed", wording=proof(event), **origin)
        proved = _confirmed(session, into, channel) if channel in CONTACT_OF else []
        if proved and all(proved):
            _grant(session, into, channel, method="double_opt_in")


def _grant(session: Session, member: Member, channel: str, *, method: str) -> ConsentEvent | None:
    was = current(session, member.id).get(channel)
    if was is None or was.state != "pending":
        return None
    origin: dict[str, Any] = {"source": was.source, "outlet_id": was.outlet_id, "staff_id": was.staff_id}
    return record(session, member, channel, "granted", method=method, wording=proof(was), **origin)


def _confirmed(session: Session, member: Member, channel: str) -> list[bool]:
    """Return for each of the member's contacts of a channel whether it is confirmed."""
    rows = session.scalars(select(Contact).where(Contact.member_id == member.id, Contact.kind == CONTACT_OF[channel]))
    return [row.confirmed_at is not None for row in rows]
