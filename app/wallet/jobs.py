"""Jobs of the wallet: marking what changed, waking phones, keeping Google's objects, tidying."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from app.cards.events import CardProgressed
from app.core import clock
from app.core.events import emit
from app.core.jobs import job, sending_job
from app.core.runtime import Runtime
from app.core.tables import UtcDateTime
from app.members.events import MemberChanged, MemberMerged
from app.network.models import Brand
from app.rewards.events import CouponChanged, CouponIssued
from app.wallet import channels, marks, notes, objects, wakes
from app.wallet.events import (
    CredentialChanged,
    LookChanged,
    MessageQueued,
    NewsPublished,
    ObjectsDue,
    PhonesDue,
    WalkGoesOn,
)
from app.wallet.models import WalletPass
from app.wallet.notes import Note, Told
from app.wallet.objects import Round, Sent
from app.wallet.wakes import Due, Woken

GATHER = timedelta(milliseconds=400)  # what happens to one member meanwhile is one wake-up; decision 0008
SLICE = 50  # members of one unit: a till waits no longer than for their passes to be read

CHANGES = (CardProgressed, CouponIssued, CouponChanged, MemberMerged, MemberChanged)


class Wakes:
    """What the jobs that wake phones share."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def send(self, dues: list[Due]) -> list[Woken]:
        """Speak to Apple's push service."""
        return wakes.send(self.runtime, dues)

    def finish(self, session: Session, woken: list[Woken]) -> None:
        """Write what became of it."""
        wakes.finish(session, woken)


@sending_job("wallet.refresh_pass", listens=CHANGES, unique_by="member_id", priority=2, wait=GATHER, repeatable=True)
class RefreshPass(Wakes):
    """Mark the passes of a member that show something else now, and wake their phones.

    An event's own words are not read: what a pass shows is looked at when the job runs, so events may come in any
    order and number.
    """

    def prepare(self, session: Session, member_id: int) -> list[Due]:
        """Mark, and take the phones that are due."""
        marks.refresh(session, self.runtime, member_id)
        return wakes.claim(session, self.runtime)


@sending_job("wallet.wake", listens=PhonesDue, unique_by="brand_id", priority=2, repeatable=True)
class WakePhones(Wakes):
    """Wake every phone of a brand that is due: after a registration, a pause, or a batch that was too large."""

    def prepare(self, session: Session, brand_id: int) -> list[Due]:
        """Take the phones that are due."""
        return wakes.claim(session, self.runtime)


class Walk(Wakes):
    """Looks at the passes of a brand, a slice of members at a time."""

    def slice(self, session: Session, brand_id: int, after: int) -> list[Due]:
        """Mark the slice behind a member, and queue the next one."""
        wanted = select(WalletPass.member_id).where(WalletPass.member_id > after).distinct()
        members = session.scalars(wanted.order_by(WalletPass.member_id).limit(SLICE)).all()
        for member_id in members:
            marks.refresh(session, self.runtime, member_id)
        if len(members) == SLICE:
            emit(session, WalkGoesOn(brand_id=brand_id, after=members[-1]))
        return wakes.claim(session, self.runtime)


@sending_job("wallet.refresh_brand", listens=LookChanged, unique_by="brand_id", priority=8, repeatable=True)
class RefreshBrand(Walk):
    """Begin to look at every pass of a brand: its look changed, or it is time to make sure."""

    def prepare(self, session: Session, brand_id: int) -> list[Due]:
        """Mark the first slice."""
        return self.slice(session, brand_id, 0)


@sending_job("wallet.refresh_rest", listens=WalkGoesOn, priority=8)
class RefreshRest(Walk):
    """Go on with a walk; under no key, since a change meanwhile begins another walk from the start."""

    def prepare(self, session: Session, brand_id: int, after: int) -> list[Due]:
        """Mark the next slice."""
        return self.slice(session, brand_id, after)


@dataclass(frozen=True)
class Synced:
    """What one sync with Google took and what became of it."""

    rounds: list[Round]
    sent: list[Sent]


@sending_job("wallet.sync_google", listens=ObjectsDue, unique_by="brand_id", priority=3, repeatable=True)
class SyncGoogle:
    """Create and patch the objects of a brand that Google does not have as they are."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def prepare(self, session: Session, brand_id: int) -> list[Round]:
        """Take what is due."""
        return objects.claim(session, self.runtime)

    def send(self, rounds: list[Round]) -> list[Synced]:
        """Speak to Google."""
        return [Synced(rounds, objects.send(self.runtime, rounds))]

    def finish(self, session: Session, done: list[Synced]) -> None:
        """Write what became of it."""
        for one in done:
            objects.finish(session, one.rounds, one.sent)


@sending_job("wallet.send_message", listens=MessageQueued, priority=4)
class SendMessage:
    """Put a message on one card, if its member still wants it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def prepare(self, session: Session, message_id: int) -> list[Note]:
        """Ask for the consent of this moment, and take the message."""
        return notes.take_message(session, self.runtime, message_id)

    def send(self, taken: list[Note]) -> list[Told]:
        """Speak to Google; Apple's card shows it when it is refreshed."""
        return notes.send(self.runtime, taken)

    def finish(self, session: Session, told: list[Told]) -> timedelta | None:
        """Write what became of it."""
        return notes.end_message(session, told)


@sending_job("wallet.publish_news", listens=NewsPublished, priority=4)
class PublishNews(SendMessage):
    """Tell the holders of a brand's Google cards its service news, by their classes."""

    def prepare(self, session: Session, news_id: int) -> list[Note]:
        """Take the classes that Google has."""
        return notes.take_news(session, self.runtime, news_id)

    def finish(self, session: Session, told: list[Told]) -> timedelta | None:
        """Write what became of it."""
        return notes.end_news(session, told)


@job("wallet.credential_changed", listens=CredentialChanged, priority=2)
def credential_changed(session: Session, brand_id: int, kind: str) -> None:
    """Let what waited for a certificate or account go on at once."""
    channels.release(session, kind)
    emit(session, PhonesDue(brand_id=brand_id) if kind == "apple" else ObjectsDue(brand_id=brand_id))


@job("wallet.look_around", every=timedelta(hours=6), priority=9)
def look_around(session: Session) -> None:
    """Look at the passes of every brand now and then: no missed event keeps a card wrong for ever."""
    for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
        session.info["brand_id"] = brand_id
        emit(session, LookChanged(brand_id=brand_id))


_NONCES = text("DELETE FROM wallet_nonce WHERE ends_at < :now").bindparams(bindparam("now", type_=UtcDateTime))


@job("wallet.forget_nonces", every=timedelta(hours=1), priority=9)
def forget_nonces(session: Session) -> None:
    """Forget callbacks that are too old to be sent again."""
    session.connection().execute(_NONCES, {"now": clock.now()}, execution_options={"finds_brand": True})
