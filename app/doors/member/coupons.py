"""All coupons, and the whole story."""

from itertools import groupby

from flask import Response, request

from app.cards import views
from app.core import web
from app.doors.member import shape
from app.doors.member.card import gift, version
from app.doors.member.devices import platform
from app.doors.member.home import blueprint, me, shell
from app.rewards import service as rewards
from app.wallet import service as wallet

PAGE = 50  # events


@blueprint.get("/coupons")
def coupons() -> Response:
    """Show every coupon: ready ones with their code, then what became of the others."""
    session = web.session()
    member = me(session)
    found = rewards.of_member(session, member.id)
    uses = rewards.uses(session, [view.coupon.id for view in found])
    holders = rewards.holders(session, found)
    shown = [
        shape.coupon(view, use=uses.get(view.coupon.id), holder=holders.get(view.coupon.id, ""), with_qr=True)
        for view in found
    ]
    return web.page(
        "member/coupons.html",
        me=shell(session, member),
        etag=version(session, member),
        ready=[coupon for coupon in shown if coupon["state"] in ("ready", "held")],
        past=[coupon for coupon in shown if coupon["state"] not in ("ready", "held")],
        gift=gift(session, member, found),
        apple=platform() == "apple" and wallet.available(session, web.runtime()).apple,
    )


@blueprint.get("/activity")
def activity() -> Response:
    """Show what happened, by day, newest first."""
    session = web.session()
    member = me(session)
    text = request.args.get("most", "")
    most = min(int(text), 2000) if text.isascii() and text.isdigit() and len(text) < 6 else PAGE
    lines = views.story(session, member.id, most=most + 1)
    days = [
        {"label": label, "events": [shape.happening(line, short=True) for line in day]}
        for label, day in groupby(lines[:most], key=lambda line: shape.day(line.at))
    ]
    more = f"activity?most={most + PAGE}" if len(lines) > most else None
    return web.page(
        "member/activity.html", me=shell(session, member), etag=version(session, member), days=days, more=more
    )
