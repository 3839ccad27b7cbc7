"""The card: the page, and the version of all that it shows."""

import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, jsonify, request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.cards import sources, standing, views, welcome
from app.cards.story import story
from app.cards.views import Card
from app.core import clock, web
from app.core.crypto import totp, totp_step
from app.core.db import keyring
from app.delivery import outgoing, subscriptions
from app.doors.member import gift_cards, shape, standing_words
from app.doors.member.home import blueprint, me, shell
from app.ledger.models import Account, Purchase, Refund
from app.members import allowing, codes, lookup
from app.members.models import Contact, Member
from app.members.rules import mask_contact
from app.network.models import Outlet
from app.rewards import service as rewards
from app.rewards.models import Coupon, GiftCard, InvitationReply, Redemption
from app.wallet import service as wallet

FRESH = timedelta(hours=24)  # how long a filled card is celebrated
SHOWN = 3  # events on the card


@blueprint.get("/")
def card() -> Response:
    """Show the member's cards, the code for the till, what is ready and what happened last."""
    return show()


def show(error: str = "", status: int = 200, *, waits: bool = False, question_error: str = "") -> Response:
    """Show the card.

    Args:
        error: what the confirmation code's field says.
        waits: no code helps for now.
        question_error: why an answer to a till was refused.
    """
    session = web.session()
    member = me(session)
    coupons = rewards.of_member(session, member.id)
    uses = rewards.uses(session, [view.coupon.id for view in coupons])
    holders, places = rewards.holders(session, coupons), outlets(session, coupons)
    held = views.cards(session, member.id)
    ways = {one.program.id: standing_words.ahead(one) for one in standing.standings(session, member.id)}
    events = story(session, member.id, most=SHOWN)
    subscribed = subscriptions.of_member(session, member.id)
    return web.page(
        "member/card.html",
        status,
        me=shell(session, member),
        etag=version(session, member),
        cards=[shape.card(card, ways.get(card.program.id, "")) for card in held],
        in_wallet=bool(wallet.added(session, member.id)),
        filled=_filled(session, coupons, held),
        qr=shape.qr(code_text(session, member)),
        spoken=spoken(session, member),
        coupons=[
            shape.coupon(
                view,
                use=uses.get(view.coupon.id),
                holder=holders.get(view.coupon.id, ""),
                where=places.get(view.reward.id, ""),
            )
            for view in coupons
            if view.usable
        ],
        gift_cards=gift_cards.usable(session, member.id),
        gift=gift(session, member, coupons),
        questions=[shape.question(one) for one in allowing.questions(session, member)],
        question_error=question_error,
        confirm=pending(session, member, error, waits=waits),
        ask_push=bool(events) and not subscribed,
        events=[shape.happening(line) for line in events],
        data=_data(session, member, subscribed=bool(subscribed)),
    )


def _filled(session: Session, coupons: list[rewards.CouponView], held: list[Card]) -> dict[str, Any] | None:
    """Return the stamp card that filled last, while its coupon is fresh."""
    fresh = clock.now() - FRESH
    new = [view for view in coupons if view.usable and view.coupon.source_kind == "fill"]
    new = [view for view in new if view.coupon.issued_at > fresh]
    programs = sources.filled(session, [view.coupon.source_id for view in new])
    sizes = {card.program.id: card.size for card in held if card.kind == "stamp_card"}
    for view in new:
        program_id, _kind = programs[view.coupon.source_id]
        if program_id in sizes:
            shown = shape.coupon(view, use=None)
            place = {"id": view.coupon.public_id, "size": sizes[program_id]}
            return {**place, "reward": shown["title"], "icon": shown["icon"], "until": shown["until"]}
    return None


def outlets(session: Session, coupons: list[rewards.CouponView]) -> dict[int, str]:
    """Return the names of the outlets that take a reward, by its id, where not all do."""
    slugs = {slug for view in coupons for slug in view.reward.outlets}
    if not slugs:
        return {}
    names = dict(session.execute(select(Outlet.slug, Outlet.name).where(Outlet.slug.in_(slugs))).all())
    return {view.reward.id: ", ".join(names[slug] for slug in view.reward.outlets if slug in names) for view in coupons}


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
    if member.state != "provisional" or any(view.coupon.source_kind == "welcome" for view in coupons):
        return None
    promise = welcome.promised(session, member)
    return {"title": promise.title, "icon": promise.icon} if promise else None


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
        family = lookup.family(session, member.id)
        # Both only grow, so they are counted by the member's index: a max(id), or an ORDER BY id below, would make
        # SQLite walk the brand's rows on every poll.
        bought = session.scalars(select(Purchase.id).where(Purchase.member_id.in_(family))).all()
        refunded = select(func.count(Refund.id)).where(Refund.purchase_id.in_(bought))
        coupons = select(Coupon.id, Coupon.state, Coupon.expires_at).where(Coupon.member_id.in_(family))
        coupons_now = sorted(session.execute(coupons), key=lambda row: row.id)
        ids = [row.id for row in coupons_now]
        used = select(Redemption.id, Redemption.reversed_at).where(Redemption.coupon_id.in_(ids))
        replies = select(InvitationReply.coupon_id, InvitationReply.answer, InvitationReply.seats).where(
            InvitationReply.coupon_id.in_(ids)
        )
        accounts = select(Account.program_id, Account.balance, Account.pending).where(Account.member_id == member.id)
        gift_cards_now = select(GiftCard.id, GiftCard.balance_cents, GiftCard.state, GiftCard.expires_at).where(
            GiftCard.member_id == member.id
        )
        contacts = select(Contact.id, Contact.confirmed_at).where(Contact.member_id == member.id).order_by(Contact.id)
        facts = (
            _rows(session, accounts),
            len(bought),
            session.scalar(refunded) if bought else 0,
            [tuple(row) for row in coupons_now],
            [*_rows(session, used), *_rows(session, replies)] if ids else [],
            _rows(session, gift_cards_now),
            [tuple(row) for row in session.execute(contacts)],
            [row.id for row in subscriptions.of_member(session, member.id)],
            (member.state, member.language, member.first_name),
            sorted(wallet.added(session, member.id)),
            [one.public_id for one in allowing.questions(session, member)],
            member.totp_secret,  # renewed when a device signs out: an open page has to fetch it
            clock.local_date(clock.now(), g.brand.zone),  # "Today" becomes yesterday, a coupon runs out
        )
        g.version = hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
    found: str = g.version
    return found


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows in an order of their own: SQLite would walk the brand's rows for one by id."""
    return sorted(tuple(row) for row in session.execute(query))
