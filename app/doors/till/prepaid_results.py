"""What this till has just done with what is paid in advance: used, sold, taken back; and what can be undone of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import serial_views
from app.cards.programs import of_version
from app.cards.serial_models import SerialCard
from app.cards.serial_views import Press
from app.core import clock, i18n
from app.core.db import keyring
from app.core.i18n import gettext as _
from app.doors.till import prepaid, shape
from app.members import lookup
from app.rewards.models import GiftCard, GiftCardSale
from app.rewards.selling import SALE
from app.rewards.service import print_code

UNDO = timedelta(seconds=60)
Sold = tuple[GiftCard, GiftCardSale]


def result(kind: str, title: str, sub: str, **more: Any) -> dict[str, Any]:
    """Return a result as the till shows it big; `said` is what a member's page says of it."""
    empty = {"fills": 0, "filled": "", "reasons": [], "quiet": False, "card": None, "coupons": [], "more": []}
    return {"kind": kind, "title": title, "sub": sub, "said": title, **empty, **more}


def name(session: Session, member_id: int) -> str:
    """Return what a till calls a member, also one who has left."""
    member = lookup.live(session, member_id)
    return shape.name(member) if member else _("Member")


def left(recorded_at: datetime) -> int:
    """Return the whole seconds in which something can still be undone."""
    return max(0, int((recorded_at + UNDO - clock.now()).total_seconds()))


def find(session: Session, done: str, *, till_id: int, since: datetime) -> dict[str, Any] | None:
    """Return what a form did since a moment, by the public id of uses or a card; None for anything else.

    What was used or sold is told to its till, what was taken back to its outlet.
    """
    outlet_id = g.place.outlet.id
    press = serial_views.press(session, done, outlet_id=outlet_id)
    if press is not None:
        return _press(session, press, till_id=till_id, since=since)
    card = session.scalar(select(SerialCard).where(SerialCard.public_id == done, SerialCard.outlet_id == outlet_id))
    if card is not None:
        return _card(session, card, till_id=till_id, since=since)
    sold = sold_gift(session, done, outlet_id=outlet_id)
    return _gift(session, sold, till_id=till_id, since=since) if sold else None


def sold_gift(session: Session, public_id: str, *, outlet_id: int) -> Sold | None:
    """Return a gift card that an outlet sold."""
    wanted = (
        select(GiftCard, GiftCardSale)
        .join(GiftCardSale, GiftCardSale.id == GiftCard.source_id)
        .where(GiftCard.public_id == public_id, GiftCard.source_kind == SALE, GiftCardSale.outlet_id == outlet_id)
    )
    row = session.execute(wanted).one_or_none()
    return (row[0], row[1]) if row else None


def _press(session: Session, press: Press, *, till_id: int, since: datetime) -> dict[str, Any] | None:
    uses = prepaid.counted(press.program, press.uses)
    stock = next(
        (one for one in serial_views.stocks(session, press.member_id) if one.program.id == press.program.id), None
    )
    remaining = _("%(uses)s left", uses=prepaid.counted(press.program, stock.left if stock else 0))
    sub = f"{name(session, press.member_id)}, {remaining}"
    if press.is_back:
        fresh = all(row.reversed_at and row.reversed_at > since for row in press.rows)
        title = _("%(uses)s given back", uses=uses)
        return result("undone", title, sub, said=f"{title}, {remaining}") if fresh else None
    if press.rows[0].till_id != till_id or press.rows[0].recorded_at <= since:
        return None
    title, more = _("%(uses)s used", uses=uses), []
    if press.credit_cents:
        more = [_("%(amount)s back for using it fast", amount=i18n.format_cents(press.credit_cents))]
    return result("used", title, sub, more=more, said=", ".join([title, remaining, *more]))


def _card(session: Session, card: SerialCard, *, till_id: int, since: datetime) -> dict[str, Any] | None:
    title, who = i18n.pick(of_version(session, card.version_id).name), name(session, card.member_id)
    here = card.till_id == till_id and card.recorded_at > since
    return _sold_or_back(title, who, card.price_cents, card.refunded_at, here=here, since=since)


def _gift(session: Session, sold: Sold, *, till_id: int, since: datetime) -> dict[str, Any] | None:
    card, sale = sold
    here = sale.till_id == till_id and sale.recorded_at > since
    if card.member_id is None and here and sale.refunded_at is None:
        title = _("Gift card, %(amount)s", amount=i18n.format_cents(card.initial_cents))
        code = print_code(keyring(session).text(card.code)).replace("-", " ")
        return result("sold", title, _("Its code: %(code)s", code=code))
    who = name(session, card.member_id) if card.member_id else ""
    return _sold_or_back(_("Gift card"), who, sale.value_cents, sale.refunded_at, here=here, since=since)


def _sold_or_back(
    title: str, who: str, cents: int, back_at: datetime | None, *, here: bool, since: datetime
) -> dict[str, Any] | None:
    money = i18n.format_cents(cents)
    if back_at is None:
        said = _("%(card)s sold", card=title)
        return result("bought", said, f"{who}, {money}", said=f"{said}, {money}") if here else None
    said, give = _("%(card)s taken back", card=title), _("Give back %(amount)s", amount=money)
    more = [give]
    return result("undone", said, who, more=more, said=f"{said}. {give}.") if back_at > since else None


def newest(session: Session, *, till_id: int) -> tuple[datetime, dict[str, Any]] | None:
    """Return what a till did last with what is paid in advance, while it can be undone, and when."""
    since = clock.now() - UNDO
    found = [*_uses(session, till_id, since), *_cards(session, till_id, since), *_gifts(session, till_id, since)]
    return max(found, key=lambda one: one[0], default=None)


Row = tuple[datetime, dict[str, Any]]


def _row(field: str, public_id: str, at: datetime, award: str, whom: str, detail: str) -> Row:
    row = {"field": field, "id": public_id, "award": award, "whom": whom, "undo_seconds": left(at)}
    return at, {**row, "detail": f"{shape.clock_time(at)}, {detail}"}


def _uses(session: Session, till_id: int, since: datetime) -> Sequence[Row]:
    press = serial_views.newest_press(session, till_id=till_id, outlet_id=g.place.outlet.id, since=since)
    if press is None:
        return ()
    uses = _("%(uses)s used", uses=prepaid.counted(press.program, press.uses))
    whom = f"– {name(session, press.member_id)}"
    at = press.rows[0].recorded_at
    return (_row("use", press.public_id, at, uses, whom, i18n.pick(press.program.name)),)


def _cards(session: Session, till_id: int, since: datetime) -> Sequence[Row]:
    wanted = select(SerialCard).where(
        SerialCard.till_id == till_id, SerialCard.local_date == _today(), SerialCard.recorded_at > since,
        SerialCard.refunded_at.is_(None), SerialCard.used == 0,
    )  # fmt: skip
    card = session.scalar(wanted.order_by(SerialCard.id.desc()).limit(1))
    if card is None:
        return ()
    award = _("%(card)s sold", card=i18n.pick(of_version(session, card.version_id).name))
    whom = f"– {name(session, card.member_id)}"
    return (_row("serial", card.public_id, card.recorded_at, award, whom, i18n.format_cents(card.price_cents)),)


def _gifts(session: Session, till_id: int, since: datetime) -> Sequence[Row]:
    wanted = (
        select(GiftCard, GiftCardSale)
        .join(GiftCardSale, GiftCardSale.id == GiftCard.source_id)
        .where(
            GiftCard.source_kind == SALE, GiftCard.balance_cents == GiftCard.initial_cents,
            GiftCardSale.till_id == till_id, GiftCardSale.local_date == _today(), GiftCardSale.recorded_at > since,
            GiftCardSale.refunded_at.is_(None),
        )
        .order_by(GiftCardSale.id.desc())
        .limit(1)
    )  # fmt: skip
    row = session.execute(wanted).one_or_none()
    if row is None:
        return ()
    card, sale = row
    whom = f"– {name(session, card.member_id)}" if card.member_id else ""
    award, money = _("%(card)s sold", card=_("Gift card")), i18n.format_cents(sale.value_cents)
    return (_row("gift", card.public_id, sale.recorded_at, award, whom, money),)


def _today() -> Any:
    return clock.local_date(clock.now(), g.brand.zone)
