"""All coupons and gift cards, the answers to invitations, and the whole story."""

from itertools import groupby
from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.cards.story import story
from app.core import web
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.member import gift_cards, shape
from app.doors.member.card import gift, outlets, version
from app.doors.member.devices import platform
from app.doors.member.home import blueprint, me, shell
from app.members.models import Member
from app.rewards import invitations
from app.rewards import service as rewards
from app.rewards.models import InvitationReply
from app.rewards.service import CouponView
from app.wallet import service as wallet

PAGE = 50  # events


@blueprint.get("/coupons")
def coupons() -> Response:
    """Show every coupon and gift card: ready ones with their code, then what became of the others."""
    return show()


def show(errors: dict[str, str] | None = None, status: int = 200) -> Response:
    """Show the coupons; `errors` says by public id why an answer to an invitation was refused."""
    session = web.session()
    member = me(session)
    found = rewards.of_member(session, member.id)
    shown = _shown(session, found, errors or {})
    stored = gift_cards.every(session, member.id)
    return web.page(
        "member/coupons.html",
        status,
        me=shell(session, member),
        etag=version(session, member),
        ready=[coupon for coupon in shown if coupon["state"] in ("ready", "held")],
        past=[coupon for coupon in shown if coupon["state"] not in ("ready", "held")],
        gift_cards=[card for card in stored if card["state"] == "ready"],
        gift_cards_past=[card for card in stored if card["state"] != "ready"],
        gift=gift(session, member, found),
        apple=platform() == "apple" and wallet.available(session, web.runtime()).apple,
    )


def _shown(session: Session, found: list[CouponView], errors: dict[str, str]) -> list[dict[str, Any]]:
    ids = [view.coupon.id for view in found]
    uses, holders = rewards.uses(session, ids), rewards.holders(session, found)
    places, replies = outlets(session, found), invitations.replies(session, ids)
    return [
        {
            **shape.coupon(
                view, use=uses.get(view.coupon.id), holder=holders.get(view.coupon.id, ""),
                where=places.get(view.reward.id, ""), with_qr=True,
            ),
            "invitation": _invitation(view, replies.get(view.coupon.id), errors.get(view.coupon.public_id, "")),
        }
        for view in found
    ]  # fmt: skip


def _invitation(view: CouponView, answer: InvitationReply | None, error: str) -> dict[str, Any] | None:
    """Return what an invitation's form shows; None for other coupons and for one that is over."""
    reward = view.reward
    if reward.kind != "invitation" or not view.usable:
        return None
    mine = answer.seats if answer else 0
    left = None if reward.seats is None else max(0, reward.seats - reward.seats_taken)
    most = invitations.MOST_SEATS if left is None else min(invitations.MOST_SEATS, left + mine)
    return {"answer": answer.answer if answer else "", "seats": mine, "left": left, "most": most, "error": error}


@blueprint.post("/coupons/<public_id>/reply")
def reply(public_id: str) -> Response | BaseResponse:
    """Answer an invitation, or change the answer: the last one counts."""
    session = web.session()
    view = _mine(session, me(session), public_id)
    seats = request.form.get("seats", "1")
    number = int(seats) if seats.isascii() and seats.isdigit() and len(seats) < 4 else 0
    try:
        invitations.reply(session, view, comes=request.form.get("answer") == "yes", seats=number)
    except LeimaError as error:
        web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
        return show({public_id: error.message}, error.status)
    return redirect(f"/{g.brand.slug}/coupons#c-{public_id}", 303)


def _mine(session: Session, member: Member, public_id: str) -> CouponView:
    for view in rewards.of_member(session, member.id):
        if view.coupon.public_id == public_id:
            return view
    raise rewards.CouponUnknown(_("There is no such coupon."))


@blueprint.get("/activity")
def activity() -> Response:
    """Show what happened, by day, newest first."""
    session = web.session()
    member = me(session)
    text = request.args.get("most", "")
    most = min(int(text), 2000) if text.isascii() and text.isdigit() and len(text) < 6 else PAGE
    lines = story(session, member.id, most=most + 1)
    days = [
        {"label": label, "events": [shape.happening(line, short=True) for line in day]}
        for label, day in groupby(lines[:most], key=lambda line: shape.day(line.at))
    ]
    more = f"activity?most={most + PAGE}" if len(lines) > most else None
    return web.page(
        "member/activity.html", me=shell(session, member), etag=version(session, member), days=days, more=more
    )
