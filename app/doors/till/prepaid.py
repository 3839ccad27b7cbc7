"""What is paid in advance, as the till's pages show it: uses of serial cards, what is sold, what may be taken back."""

from datetime import timedelta
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import serial_views, units
from app.cards.faces import last_day
from app.cards.programs import of_version
from app.cards.serial_models import SerialCard
from app.core import clock, i18n
from app.core.crypto import new_id
from app.core.i18n import gettext as _
from app.doors.till import shape
from app.members.models import Member
from app.network.models import Till
from app.rewards import selling
from app.rewards.models import GiftCard, GiftCardSale, Reward
from app.rewards.selling import SALE

LATELY = timedelta(hours=24)  # uses of the last day may be taken back at the page
SERIAL, GIFT = "serial", "gift"  # what an item begins with


def counted(program: Any, uses: int) -> str:
    """Return a number of uses in the program's unit: `9 coffees`."""
    return units.counted(program.kind, uses, units.unit(program.unit))


def stocks(session: Session, member: Member) -> list[dict[str, Any]]:
    """Return what a member has left of serial cards, each with the key of its button."""
    return [
        {
            "slug": stock.program.slug,
            "title": i18n.pick(stock.program.name),
            "left": stock.left,
            "detail": _("%(uses)s left", uses=counted(stock.program, stock.left)),
            "until": _("until %(day)s", day=last_day(stock.ends_at, g.brand.zone)),
            "key": new_id(clock.now()),
        }
        for stock in serial_views.stocks(session, member.id)
    ]


def items(session: Session, till: Till) -> list[dict[str, Any]]:
    """Return what a till sells to a member: serial cards at their price, gift cards at an amount."""
    serials = [
        {
            "value": f"{SERIAL}:{program.slug}:{program.plan.price_cents or 0}",
            "title": i18n.pick(program.name),
            "detail": f"{counted(program, program.plan.uses or 0)}, {i18n.format_cents(program.plan.price_cents or 0)}",
            "typed": False,
        }
        for program in serial_views.offered(session)
    ]
    return serials + [
        {
            "value": f"{GIFT}:{reward.slug}", "title": i18n.pick(reward.name), "typed": True,
            "detail": f"{i18n.format_cents(reward.face_cents)}–{i18n.format_cents(reward.sold_up_to_cents or 0)}",
        }
        for reward in selling.sellable(session, till, clock.now())
    ]  # fmt: skip


def returns(session: Session, member: Member, *, outlet_id: int) -> list[dict[str, Any]]:
    """Return what an outlet may take back of a member: uses of the last day, cards that nothing is used of."""
    uses = [
        {
            "field": "use", "id": press.public_id, "title": i18n.pick(press.program.name),
            "detail": f"{_('%(uses)s used', uses=counted(press.program, press.uses))}, "
            f"{shape.clock_time(press.rows[0].occurred_at)}",
            "money": "",
        }
        for press in serial_views.presses(session, member.id, outlet_id=outlet_id, since=clock.now() - LATELY)
    ]  # fmt: skip
    cards = [
        _returnable(
            "serial", card.public_id, i18n.pick(of_version(session, card.version_id).name), card.price_cents, card
        )
        for card in serial_views.untouched(session, member.id, outlet_id=outlet_id)
    ]
    gifts = [
        _returnable("gift", card.public_id, i18n.pick(name), sale.value_cents, sale)
        for card, sale, name in session.execute(_sold_gifts(member.id, outlet_id))
        if card.expires_at is None or card.expires_at > clock.now()
    ]
    return uses + cards + gifts


def _returnable(field: str, public_id: str, title: str, cents: int, sold: SerialCard | GiftCardSale) -> dict[str, Any]:
    money = i18n.format_cents(cents)
    day = _("sold on %(day)s", day=shape.short_day(sold.sold_at))
    return {"field": field, "id": public_id, "title": title, "detail": f"{day}, {money}", "money": money}


def _sold_gifts(member_id: int, outlet_id: int) -> Any:
    return (
        select(GiftCard, GiftCardSale, Reward.name)
        .join(GiftCardSale, GiftCardSale.id == GiftCard.source_id)
        .join(Reward, Reward.id == GiftCard.reward_id)
        .where(
            GiftCard.source_kind == SALE, GiftCard.member_id == member_id, GiftCard.state == "active",
            GiftCard.balance_cents == GiftCard.initial_cents, GiftCardSale.outlet_id == outlet_id,
            GiftCardSale.refunded_at.is_(None),
        )
        .order_by(GiftCard.id.desc())
    )  # fmt: skip
