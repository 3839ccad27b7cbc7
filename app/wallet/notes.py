"""Sending messages to cards: taken once, sent once, ended in one named state.

Google's API cannot tell a repeated message from a new one, so a message that was being sent when a worker died is
uncertain and is not sent again. Source: messages.md, "One door out".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.events import emit
from app.core.runtime import Runtime
from app.members.events import MemberChanged
from app.wallet import channels, marks, messages
from app.wallet.google import ANSWER_LOST, ServiceAccount, ServiceAccountUnusable, Upserted, message_payload
from app.wallet.google.budget import kept, may_notify
from app.wallet.models import WalletClass, WalletMessage, WalletNews, WalletPass
from app.wallet.objects import client_of
from app.wallet.tools import Tools

AGAIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Note:
    """One message for one class or object at Google."""

    row_id: int  # of the message or the news
    kind: str
    part: str
    name: str
    payload: dict[str, Any] = field(repr=False)
    account: ServiceAccount = field(repr=False)
    notify: bool = False


@dataclass(frozen=True)
class Told:
    """What became of one."""

    note: Note
    result: Upserted


def take_message(session: Session, runtime: Runtime, message_id: int) -> list[Note]:
    """Take a message for sending; it ends here where nobody may or need be told."""
    message = session.get_one(WalletMessage, message_id)
    if message.state == "sending":
        return _end(session, message, "uncertain")
    if message.state != "queued":
        return []
    row = session.get_one(WalletPass, message.pass_id)
    member = marks.live_member(session, row)
    if member is None:
        return _end(session, message, "skipped:no_member")
    refused = messages.may_send(session, message, member_id=member.id)
    if refused:
        return _end(session, message, f"skipped:{refused}")
    if row.kind == "apple":
        emit(session, MemberChanged(member_id=member.id))  # the card shows it, and the phone announces the change
        return _end(session, message, "shown")
    if row.served_at is None or row.removed_at is not None:
        return _end(session, message, "skipped:not_saved")
    try:
        account = Tools.of(runtime).account(session)
    except ServiceAccountUnusable:
        return _end(session, message, "failed")
    message.state = "sending"
    session.flush()
    told = [datetime.fromisoformat(moment) for moment in row.notified]
    notify = may_notify(told, clock.now(), "message")
    payload = message_payload(
        name=message.public_id, header=message.header, body=message.body, ends_at=message.ends_at, notify=notify
    )
    name = f"{account.issuer_id}.{row.serial}"
    return [Note(message.id, "loyalty", "object", name, payload, account, notify)]


def take_news(session: Session, runtime: Runtime, news_id: int) -> list[Note]:
    """Return a note for each class of cards that Google has."""
    news = session.get_one(WalletNews, news_id)
    if news.sent_at is not None or news.ends_at <= clock.now():
        return []
    try:
        account = Tools.of(runtime).account(session)
    except ServiceAccountUnusable:
        return []
    rows = session.scalars(
        select(WalletClass).where(WalletClass.program_id.is_not(None), WalletClass.fingerprint != "")
    )
    header, body = next(iter(news.header.values())), next(iter(news.body.values()))
    texts = {code: (text, news.body[code]) for code, text in news.header.items()}
    payload = message_payload(
        name=news.public_id, header=header, body=body, ends_at=news.ends_at, notify=True, texts=texts
    )
    known = sorted(f"{row.issuer_id}.{row.name}" for row in rows if row.issuer_id == account.issuer_id)
    news.sent_at = clock.now()  # before it is sent: a class has no memory of what it was told
    session.flush()
    return [Note(news.id, "loyalty", "class", name, payload, account) for name in known]


def send(runtime: Runtime, notes: Sequence[Note]) -> list[Told]:
    """Speak to Google; no session is open."""
    return [
        Told(note, client_of(runtime, note.account).add_message(note.kind, note.part, note.name, note.payload))
        for note in notes
    ]


def end_message(session: Session, told: Sequence[Told]) -> timedelta | None:
    """Write what became of a message; return the pause after which it is tried again."""
    for one in told:
        message = session.get_one(WalletMessage, one.note.row_id)
        if one.result.accepted:
            row = session.get_one(WalletPass, message.pass_id)
            if one.note.notify:
                row.notified = kept(row.notified, clock.now())
            _end(session, message, "sent")
            continue
        channels.count_fault(session, one.result.reason)
        if one.result.reason == ANSWER_LOST:
            _end(session, message, "uncertain")
            continue
        if one.result.outcome == "rejected" or message.ends_at <= clock.now():
            _end(session, message, "failed")
            continue
        message.state = "queued"
        return max(AGAIN, timedelta(seconds=one.result.retry_after or 0))
    return None


def end_news(session: Session, told: Sequence[Told]) -> timedelta | None:
    """Write what became of the news; where Google took none of it, it is tried again."""
    for one in told:
        if not one.result.accepted:
            channels.count_fault(session, one.result.reason)
    again = ("retry", "throttled", "misconfigured")
    stuck = [one for one in told if one.result.outcome in again and one.result.reason != ANSWER_LOST]
    if not stuck or len(stuck) < len(told):
        return None
    session.get_one(WalletNews, stuck[0].note.row_id).sent_at = None
    return max(AGAIN, timedelta(seconds=max(one.result.retry_after or 0 for one in stuck)))


def _end(session: Session, message: WalletMessage, state: str) -> list[Note]:
    message.state, message.ended_at = state, clock.now()
    session.flush()
    return []
