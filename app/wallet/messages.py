"""Messages on cards: service news for everybody, and messages on one card, marketing only with its consent."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, i18n
from app.core.errors import Invalid
from app.core.events import emit
from app.core.i18n import gettext as _
from app.members import consents
from app.wallet.events import LookChanged, MessageQueued, NewsPublished
from app.wallet.models import WalletMessage, WalletNews, WalletPass

PURPOSES = ("service", "marketing")
HEADER, BODY = 60, 500  # characters
LASTS = timedelta(days=14)  # how long a card shows a message unless said otherwise
ENDED = ("sent", "shown")  # states in which a card shows a message; "shown" where there is nobody to send it to


class MessageInvalid(Invalid):
    """A message is empty, too long, or ends before it begins."""

    code = "wallet_message_invalid"


def send(
    session: Session, row: WalletPass, *, header: str, body: str, purpose: str, lasts: timedelta = LASTS
) -> WalletMessage:
    """Queue a message on one card.

    Marketing is for members with the wallet consent: asked when it is sent, not now.

    Raises:
        MessageInvalid: no text, too much of it, or an unknown purpose.
    """
    header, body = _checked(header, HEADER), _checked(body, BODY)
    if purpose not in PURPOSES or lasts <= timedelta():
        raise MessageInvalid(_("A message needs a purpose and a time to be shown."))
    now = clock.now()
    message = WalletMessage(pass_id=row.id, purpose=purpose, header=header, body=body, at=now, ends_at=now + lasts)
    session.add(message)
    session.flush()
    emit(session, MessageQueued(message_id=message.id))
    return message


def may_send(session: Session, message: WalletMessage, *, member_id: int) -> str:
    """Return why a message may not be shown now, an empty text when it may: consent counts at send time."""
    if message.ends_at <= clock.now():
        return "expired"
    if message.purpose == "marketing" and not consents.granted(session, member_id, "wallet"):
        return "no_consent"
    return ""


def publish(
    session: Session, *, header: dict[str, str], body: dict[str, str], ends_at: datetime, staff_id: int | None = None
) -> WalletNews:
    """Show service news on every card of the brand until `ends_at`, and tell Google's holders once.

    Args:
        header, body: language → text.

    Raises:
        MessageInvalid: no text, too much of it, or an end in the past.
    """
    texts = [{language: _checked(text, most) for language, text in given.items() if text.strip()}
             for given, most in ((header, HEADER), (body, BODY))]  # fmt: skip
    if not all(texts) or set(texts[0]) != set(texts[1]) or ends_at <= clock.now():
        raise MessageInvalid(_("News needs a headline and a text in the same languages, and an end that is to come."))
    news = WalletNews(header=texts[0], body=texts[1], at=clock.now(), ends_at=ends_at, staff_id=staff_id)
    session.add(news)
    session.flush()
    emit(session, NewsPublished(news_id=news.id))
    emit(session, LookChanged(brand_id=news.brand_id))
    return news


def stop(session: Session, news: WalletNews) -> None:
    """Take news off the cards now."""
    news.ends_at = clock.now()
    session.flush()
    emit(session, LookChanged(brand_id=news.brand_id))


def newest(session: Session, row: WalletPass, *, member_id: int) -> str:
    """Return what a card shows as its message, in the language of this moment; empty when there is none."""
    now = clock.now()
    news = session.scalars(select(WalletNews).where(WalletNews.ends_at > now, WalletNews.at <= now)).all()
    mine = select(WalletMessage).where(
        WalletMessage.pass_id == row.id, WalletMessage.ends_at > now, WalletMessage.state.in_(ENDED)
    )
    found = [(one.at, i18n.pick(one.header), i18n.pick(one.body)) for one in news]
    for one in session.scalars(mine):
        if one.purpose == "service" or consents.granted(session, member_id, "wallet"):
            found.append((one.at, one.header, one.body))
    if not found:
        return ""
    _at, header, body = max(found)
    return f"{header}\n{body}"


def _checked(text: str, most: int) -> str:
    text = " ".join(text.split())
    if not text or len(text) > most:
        raise MessageInvalid(_("A text of a message is empty or too long."))
    return text
