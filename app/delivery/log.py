"""Every message has one row and one named state; what is found "sending" after a crash is never sent twice."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.delivery.channel import Result
from app.delivery.models import Message

KEEP = timedelta(days=1)  # a message that no provider took for so long is news no more
OUTCOMES = {
    "accepted": "sent",
    "gone": "failed",
    "retry": "failed",
    "throttled": "failed",
    "rejected": "failed",
    "misconfigured": "failed",
}


def begin(
    session: Session,
    *,
    channel: str,
    kind: str,
    dedupe: str,
    member_id: int | None,
    subscription_id: int | None = None,
    again: bool = False,
) -> Message | None:
    """Note that a message is about to be sent; None when it must not be.

    Args:
        dedupe: what the message is about.
        again: a repeat replaces the first one on the phone (push), so it may be sent twice; an email or SMS found
            "sending" had an unknown end: it becomes `uncertain`.
    """
    row = session.scalar(select(Message).where(Message.dedupe == dedupe))
    if row is None:
        row = Message(
            channel=channel,
            kind=kind,
            state="sending",
            dedupe=dedupe,
            member_id=member_id,
            subscription_id=subscription_id,
            at=clock.now(),
        )
        session.add(row)
        session.flush()
        return row
    if row.state == "retry" and clock.now() - row.at > KEEP:
        row.state, row.ended_at = "expired", clock.now()
        return None
    if row.state == "retry" or (again and row.state == "sending"):
        row.state = "sending"
        return row
    if row.state == "sending":
        row.state, row.ended_at = "uncertain", clock.now()
    return None


def expire(session: Session, *, dedupe: str) -> None:
    """End a message that still waited for another try, since what it was about is over."""
    waiting = update(Message).where(Message.dedupe == dedupe, Message.state == "retry")
    session.execute(waiting.values(state="expired", ended_at=clock.now()))


def supersede(session: Session, *, member_id: int, about: str, number: int) -> None:
    """End a member's messages that still wait, or whose worker died, where a newer one says what holds now.

    Args:
        about: the start of their `dedupe`, before the number.
        number: of the newer one; the same and higher ones go on.
    """
    waiting = select(Message).where(Message.member_id == member_id, Message.state.in_(("retry", "sending")))
    for row in session.scalars(waiting):
        head, _colon, rest = row.dedupe.removeprefix(f"{about}:").partition(":")
        if row.dedupe.startswith(f"{about}:") and rest and head.isdigit() and int(head) < number:
            skip(session, row, "superseded")


def skip(session: Session, message: Message, why: str) -> None:
    """Note why a message was not sent."""
    message.state, message.ended_at = f"skipped:{why}", clock.now()


def end(session: Session, result: Result) -> Message | None:
    """Write what became of a message; `retry` where the provider asked for another try."""
    row = session.scalar(select(Message).where(Message.public_id == result.reference))
    if row is None:
        return None
    row.detail = result.detail[:200]
    if result.uncertain and row.channel != "push":
        row.state, row.ended_at = "uncertain", clock.now()
    elif result.outcome in ("retry", "throttled"):
        row.state = "retry"
    else:
        row.state, row.ended_at = OUTCOMES[result.outcome], clock.now()
    return row
