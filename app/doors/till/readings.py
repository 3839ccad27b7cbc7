"""Codes of coupons and gift cards that were read at this till, as its addresses and forms name them.

A code pays, so it stands in no address: browsers, proxies and logs keep those. A reading names what was read by its
public id, with a proof that this till has read the code; at any other till it is worth nothing.
"""

import re

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import web
from app.core.crypto import same
from app.core.db import brand_of, keyring
from app.core.i18n import gettext as _
from app.doors import guesses
from app.rewards import service as rewards
from app.rewards.models import Coupon, GiftCard

View = rewards.CouponView | rewards.GiftCardView
READING = re.compile(r"([0-9A-Z]{26})-([0-9a-f]{20})")


def of(session: Session, public_id: str, *, till_id: int) -> str:
    """Return the reading by which a till names a coupon or gift card whose code it has read."""
    proof = keyring(session).lookup("till-reading", f"{brand_of(session)}:{till_id}:{public_id}")[:20]
    return f"{public_id}-{proof}"


def name(view: View) -> str:
    """Return the reading of what this request's till has just read."""
    found = view.coupon if isinstance(view, rewards.CouponView) else view.card
    return of(web.session(), found.public_id, till_id=g.till_id)


def look(reading: str) -> View | None:
    """Return what this till has read; None for what it has not, which takes no guess at any code."""
    session, said = web.session(), READING.fullmatch(reading)
    if said is None or not same(reading, of(session, said[1], till_id=g.till_id)):
        return None
    text = keyring(session).text
    coupon = session.scalar(select(Coupon).where(Coupon.public_id == said[1]))
    if coupon is not None:
        return rewards.find(session, text(coupon.code))
    card = session.scalar(select(GiftCard).where(GiftCard.public_id == said[1]))
    return rewards.find_gift_card(session, text(card.code)) if card is not None else None


def demand(reading: str) -> View:
    """Return what this till has read.

    Raises:
        CouponUnknown, TooManyWrongCoupons: it has not; counted once, as a wrong code is.
    """

    def find() -> View:
        view = look(reading)
        if view is None:
            raise rewards.CouponUnknown(_("There is no such coupon or gift card."))
        return view

    return guesses.counted(find)
