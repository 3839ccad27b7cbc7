"""The card: the page, and the version of all that it shows."""

import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, jsonify, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import views
from app.cards.views import Card
from app.core import clock, i18n, web
from app.core.crypto import totp, totp_step
from app.core.db import keyring
from app.delivery import outgoing, subscriptions
from app.doors.member import shape
from app.doors.member.home import blueprint, me, shell
from app.ledger import service as ledger
from app.ledger.models import Purchase, Refund
from app.members import codes, lookup
from app.members.models import Contact, Member
from app.members.rules import mask_contact
from app.network.models import Brand
from app.rewards import service as rewards
from app.rewards.models import Coupon, Redemption, Reward
from app.wallet import service as wallet

FRESH = timedelta(hours=24)  # how long a filled card is celebrated
SHOWN = 3  # events on the card


@blueprint.get("/")
def card() -> Response:
    """Show the member's cards, the code for the till, what is ready and what happened last."""
    return show()


def show(error: str = "", status: int = 200, *, waits: bool = False) -> Response:
    """Show the card; `error` is what the confirmation code's field says, `waits` that no code helps for now."""
    session = web.session()
    member = me(session)
    coupons = rewards.of_member(session, member.id)
    uses = rewards.uses(session, [view.coupon.id for view in coupons])
    holders = rewards.holders(session, coupons)
    cards = [face(card) for card in views.cards(session, member.id)]
    events = views.story(session, member.id, most=SHOWN)
    subscribed = subscriptions.of_member(session, member.id)
    return web.page(
        "member/card.html",
        status,
        me=shell(session, member),
        etag=version(session, member),
        cards=cards,
        in_wallet=bool(wallet.added(session, member.id)),
        filled=_filled(coupons, cards),
        qr=shape.qr(code_text(session, member)),
        spoken=spoken(session, member),
        coupons=[
            shape.coupon(view, use=uses.get(view.coupon.id), holder=holders.get(view.coupon.id, ""))
            for view in coupons
            if view.usable
        ],
        gift=gift(session, member, coupons),
        confirm=pending(session, member, error, waits=waits),
        ask_push=bool(events) and not subscribed,
        events=[shape.happening(line) for line in events],
        data=_data(session, member, subscribed=bool(subscribed)),
    )


def face(card: Card) -> dict[str, Any]:
    """Return a card as its template draws it; a debt shows as negative stamps."""
    return {
        "name": card.name,
        "stamps": card.stamps - card.owed,
        "size": card.size,
        "reward": card.reward,
        "unit": card.unit[1],
        "icon": card.icon,
    }


def _filled(coupons: list[rewards.CouponView], cards: list[dict[str, Any]]) -> dict[str, Any] | None:
    for view in coupons:
        row = view.coupon
        if view.usable and row.source_kind == "fill" and row.issued_at > clock.now() - FRESH and cards:
            shown = shape.coupon(view, use=None)
            first = cards[0]
            place = {"id": row.public_id, "card": first["name"], "size": first["size"]}
            return {**place, "reward": shown["title"], "icon": shown["icon"], "until": shown["until"]}
    return None


def base() -> str:
    """Return the start of a member's QR text: upper case, so that it fits the alphanumeric mode."""
    parts = urlsplit(web.runtime().settings.base_url)
    return f"HTTPS://{parts.netloc.upper()}/M/"


def code_text(session: Session, member: Member) -> str:
    """Return the QR's text of this moment, for a phone without JavaScript."""
    code = lookup.codes_of(session, member.id).code
    return f"{base()}{code}.{totp(keyring(session).decrypt(member.totp_secret), totp_step(clock.now()))}"


def spoken(session: Session, member: Member) -> str:
    """Return the spoken code in two groups."""
    code = lookup.codes_of(session, member.id).spoken
    return f"{code[:4]} {code[4:]}"


def gift(session: Session, member: Member, coupons: list[rewards.CouponView]) -> dict[str, str] | None:
    """Return the welcome gift that waits for a confirmed contact."""
    reward_id = session.get_one(Brand, member.brand_id).welcome_reward_id
    reward = session.get(Reward, reward_id) if reward_id else None
    if reward is None or member.state != "provisional" or any(view.coupon.source_kind == "welcome" for view in coupons):
        return None
    return {"title": i18n.pick(reward.name), "icon": reward.icon}


def pending(session: Session, member: Member, error: str, *, waits: bool = False) -> dict[str, Any] | None:
    """Return the contact whose code was asked last and is still to be confirmed, masked."""
    contact = codes.waiting(session, member.id)
    if contact is None:
        return None
    shown = {"id": contact.public_id, "contact": mask_contact(contact.kind, contact.value), "kind": contact.kind}
    return {**shown, "error": error, "waits": waits}


def _data(session: Session, member: Member, *, subscribed: bool) -> dict[str, Any]:
    secret = base64.b32encode(keyring(session).decrypt(member.totp_secret)).decode().rstrip("=")
    simulated = web.runtime().shared.get("simulated_phone") is not None
    return {
        "base": base(),
        "id": lookup.codes_of(session, member.id).code,
        "secret": secret,
        "etag": version(session, member),
        "updated_at": clock.now().isoformat(timespec="seconds"),
        "push": {
            "key": outgoing.push_sender(web.runtime()).application_server_key,
            "subscribed": subscribed,
            "simulated": simulated,
        },
    }


@blueprint.get("/card.json")
def card_json() -> Response:
    """Tell a page that is open whether what it shows is still so; 304 while it is."""
    session = web.session()
    etag = version(session, me(session))
    response = jsonify(etag=etag)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "no-store"
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns this very response


def version(session: Session, member: Member) -> str:
    """Return a short hash of everything that card, coupons and activity show."""
    if "version" not in g:
        family = views.family(session, member.id)
        # Both only grow, so they are counted by the member's index: a max(id), or an ORDER BY id below, would make
        # SQLite walk the brand's rows on every poll.
        bought = session.scalars(select(Purchase.id).where(Purchase.member_id.in_(family))).all()
        refunded = select(func.count(Refund.id)).where(Refund.purchase_id.in_(bought))
        coupons = select(Coupon.id, Coupon.state, Coupon.expires_at).where(Coupon.member_id.in_(family))
        coupons_now = sorted(session.execute(coupons), key=lambda row: row.id)
        used = select(Redemption.id, Redemption.reversed_at).where(
            Redemption.coupon_id.in_([row.id for row in coupons_now])
        )
        contacts = select(Contact.id, Contact.confirmed_at).where(Contact.member_id == member.id).order_by(Contact.id)
        facts = (
            sorted(ledger.balances(session, member.id).items()),
            len(bought),
            session.scalar(refunded) if bought else 0,
            [tuple(row) for row in coupons_now],
            [tuple(row) for row in sorted(session.execute(used), key=lambda row: row.id)] if coupons_now else [],
            [tuple(row) for row in session.execute(contacts)],
            [row.id for row in subscriptions.of_member(session, member.id)],
            (member.state, member.language, member.first_name),
            sorted(wallet.added(session, member.id)),
            member.totp_secret,  # renewed when a device signs out: an open page has to fetch it
            clock.local_date(clock.now(), g.brand.zone),  # "Today" becomes yesterday, a coupon runs out
        )
        g.version = hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
    found: str = g.version
    return found
