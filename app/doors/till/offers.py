"""What a member may use on a sale, as the till's page shows it: coupons, gift cards, bonus, codes that were read."""

from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.cards.paying import SPENDABLE
from app.cards.programs import in_force
from app.core import clock, i18n, web
from app.core.crypto import new_id
from app.core.i18n import gettext as _
from app.doors.till import paying, prepaid, readings, shape
from app.ledger import service as ledger
from app.members.models import Member, Scan
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.rules import MEASURED

MOST_CODES = 10  # on one sale


def shown(session: Session, found: Scan, member: Member, given: MultiDict[str, str], *, till: Till) -> dict[str, Any]:
    """Return coupons, serial cards, gift cards and bonus, and whether any `waits`; `given` says what is chosen.

    A coupon that takes something off goes into the basket; one for goods is handed over and redeemed by its button,
    since this page knows no goods.
    """
    now = clock.now()
    views = [view for view in rewards.of_member(session, member.id) if view.usable and not view.held_from(till.id)]
    coupons = [
        {**shape.offer(view, new_id(now)), "measured": view.reward.kind in MEASURED, "on": _on(given, "use", view)}
        for view in views
    ]
    gifts = [_gift(session, view, given) for view in _gifts(session, member)]
    bonus = _bonus(session, member, given)
    stocks = prepaid.stocks(session, member)
    if found.may_redeem:
        return {"coupons": coupons, "gifts": gifts, "bonus": bonus, "stocks": stocks, "waits": False}
    waits = bool(coupons or gifts or bonus or stocks)
    return {"coupons": coupons, "gifts": [], "bonus": [], "stocks": stocks, "waits": waits}


def _on(given: MultiDict[str, str], name: str, view: rewards.CouponView) -> bool:
    return view.coupon.public_id in given.getlist(name)


def _gifts(session: Session, member: Member) -> list[rewards.GiftCardView]:
    return [view for view in rewards.gift_cards_of(session, member.id) if view.usable]


def gift_title(session: Session, view: rewards.GiftCardView) -> str:
    """Return what a gift card is called."""
    reward = session.get(Reward, view.card.reward_id) if view.card.reward_id else None
    return i18n.pick(reward.name) if reward else _("Gift card")


def _gift(session: Session, view: rewards.GiftCardView, given: MultiDict[str, str]) -> dict[str, Any]:
    ends = view.card.expires_at
    return {
        "id": view.card.public_id,
        "title": gift_title(session, view),
        "detail": _("%(amount)s left", amount=i18n.format_cents(view.card.balance_cents)),
        "until": _("until %(day)s", day=shape.short_day(ends)) if ends else "",
        "on": view.card.public_id in given.getlist("gift"),
    }


def _bonus(session: Session, member: Member, given: MultiDict[str, str]) -> list[dict[str, Any]]:
    held = ledger.balances(session, member.id, at=clock.now())
    typed = paying.spends(given)
    return [
        {
            "name": f"{paying.SPEND}{program.slug}",
            "title": i18n.pick(program.name),
            "detail": _("%(amount)s to use", amount=i18n.format_cents(held[program.id])),
            "all": i18n.format_cents(held[program.id]),
            "typed": typed.get(f"{paying.SPEND}{program.slug}", "")[:12],
        }
        for program in in_force(session, clock.now())
        if program.kind in SPENDABLE and held.get(program.id, 0) > 0
    ]


def read(given: MultiDict[str, str]) -> list[dict[str, Any]]:
    """Return the codes that were read on this page; what this till has not read is left out."""
    return [one for code in list(dict.fromkeys(given.getlist("code")))[:MOST_CODES] if (one := _read(code))]


def _read(code: str) -> dict[str, Any] | None:
    view = readings.look(code)
    if view is None:
        return None
    if isinstance(view, rewards.CouponView):
        return {"code": code, "title": shape.title(view), "detail": shape.worth(view)}
    left = _("%(amount)s left", amount=i18n.format_cents(view.card.balance_cents))
    return {"code": code, "title": gift_title(web.session(), view), "detail": left}
