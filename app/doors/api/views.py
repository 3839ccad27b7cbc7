"""Thin views of the till API: the door proves the till, the services decide."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import g, request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from app.cards import tiers, views, welcome
from app.core import clock, i18n, web
from app.core.errors import Unauthorized
from app.core.i18n import gettext as _
from app.doors import approvals, guesses, identity
from app.doors.api import schemas as api
from app.doors.idempotency import answered, idempotent
from app.ledger import service as ledger
from app.members import allowing, lookup, scans, sign_in
from app.members import service as members
from app.members.forms import JoinForm
from app.members.models import Member, Scan
from app.network import staff, tills
from app.network.models import Till
from app.network.service import brand_by_id
from app.rewards import offers
from app.rewards import service as rewards

WRONG_KEYS = 30  # wrong keys from an address in a minute

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="Till")


@blueprint.before_request
def _till() -> None:
    """Prove the till by its key; every view works for its brand only."""
    try:
        who = identity.enter("api")
        if who is None:
            raise Unauthorized(_("A till key is needed: Authorization: Bearer <key>."))
    except Unauthorized:  # only wrong keys wait: a dead till must not lock out its neighbors behind one address
        web.limit(f"api-key:{web.client_address()}", most=WRONG_KEYS, window=timedelta(minutes=1))
        raise
    g.till_id = who.subject_id
    i18n.set_language(i18n.negotiate(request.headers.get("Accept-Language", ""), i18n.LANGUAGES, "en"))


@blueprint.before_request
def _json_only() -> None:
    """Refuse another form of body at the door; the document promises 415."""
    if request.method == "POST" and not request.is_json:
        raise UnsupportedMediaType


def till() -> Till:
    """Return the asking till.

    Raises:
        tills.TillKeyUnknown: it was revoked between two statements.
    """
    return tills.till_place(web.session(), g.till_id).till


@blueprint.post("/scans")
@idempotent
@blueprint.input(api.ScanIn)
@blueprint.output(api.ScanOut, status_code=201)
def scan(json_data: api.ScanIn) -> dict[str, Any]:
    """Read a member's code: who it is, cards and coupons. Uses up the code's 30-second step."""
    return scan_out(guesses.scan(json_data.text, till=till()))


def scan_out(found: Scan) -> dict[str, Any]:
    """Return a scan of the asking till with all that may be done on it now.

    Raises:
        scans.MemberCodeUnknown: the member is gone since.
    """
    session, asking = web.session(), till()
    member = lookup.live(session, found.member_id)
    if member is None:
        raise scans.MemberCodeUnknown(_("This is not the code of a card here."))
    asked = allowing.of_scan(session, found)
    mine = rewards.of_member(session, member.id)
    ready = [view for view in mine if view.usable and not view.held_from(asking.id)]
    return {
        "scan": found.public_id,
        "member": members.display_name(member),
        "may_redeem": found.may_redeem,
        "note": found.note,
        "confirmation": asked.state if asked else None,
        "expires_at": found.ends_at,
        "cards": _cards(member.id),
        "coupons": [
            {
                "id": view.coupon.public_id,
                "title": i18n.pick(view.reward.name),
                "expires_at": view.coupon.expires_at,
                "code": view.code if found.may_redeem else None,
            }
            for view in ready
        ],
        "member_prices": _member_prices(member.id, asking),
        "standing_discount_bp": tiers.standing_discount_bp(session, member.id),
    }


def _member_prices(member_id: int, asking: Till) -> list[dict[str, Any]]:
    session, now = web.session(), clock.now()
    held = tiers.slugs(session, member_id, now)
    return [
        {
            "offer": view.offer.slug,
            "title": i18n.pick(view.offer.name),
            "price_cents": view.offer.price_cents,
            "percent_bp": view.offer.percent_bp,
            "skus": view.offer.skus,
            "groups": view.offer.groups,
            "left": view.left,
        }
        for view in offers.offers_for(session, member_id, asking.outlet_id, now, tiers=held)
    ]


def _cards(member_id: int) -> list[dict[str, Any]]:
    found = views.cards(web.session(), member_id)
    return [
        {
            "program": card.program.slug,
            "name": card.name,
            "unit": card.unit[1],
            "balance": card.stamps - card.owed,
            "size": card.size,
        }
        for card in found
    ]


@blueprint.before_request
def _count_sign_up() -> None:
    """Count a sign-up's message before the unit opens, so that a refusal cannot take the count back.

    One message only: `contact_2` gets none before the member asks for it on their own phone.
    """
    if request.endpoint != "api.sign_up" or answered(request.headers.get("Idempotency-Key", "")):
        return
    body = request.get_json(silent=True)
    contact = body.get("contact") if isinstance(body, dict) else None
    sign_in.count_ask(
        web.database(), g.brand_id, contact=contact if isinstance(contact, str) else "", address=f"till:{g.till_id}"
    )


APPROVED = ("api.purchase", "api.quote", "api.stamp", "api.move_cardboard")  # a manager's PIN may stand in them


@blueprint.before_request
def _approve() -> None:
    """Check a manager's PIN before the unit opens; a repeat of what was answered is no new try."""
    if request.endpoint not in APPROVED:
        return
    body = request.get_json(silent=True)
    try:
        approval = api.ApprovalIn.model_validate(body.get("approval") if isinstance(body, dict) else None)
    except ValidationError:  # none is given, or the view refuses its form
        return
    if not answered(request.headers.get("Idempotency-Key", "")):
        g.approver = approvals.check(approval.staff, approval.pin)


def buyer(given: api.OfMemberIn, *, at: datetime | None = None) -> tuple[Member, Scan | None]:
    """Return who a call is about, and the scan where it names one.

    Args:
        at: when it happened, where the till was offline: a scan from before the line broke counts for its 5 minutes.

    Raises:
        ledger.TimeOutOfRange: a till cannot report that moment.
        scans.ScanUnknown, scans.ScanExpired, scans.MemberCodeUnknown, guesses.TooManyUnknownCodes: it names nobody.
    """
    session = web.session()
    if at is not None:
        ledger.check_time(at)
    if given.scan is None:
        return guesses.member(given.member or ""), None
    scan = scans.get(session, given.scan, till=till(), at=at)
    return session.get_one(Member, scan.member_id), scan


def demand_cashier(public_id: str | None) -> None:
    """Refuse a cashier who does not work for this till's reseller; none need be named.

    Raises:
        staff.StaffUnknown
    """
    if public_id is not None:
        session = web.session()
        staff.cashier(session, public_id, reseller_id=tills.till_place(session, g.till_id).reseller.id)


def issued(coupons: Sequence[rewards.CouponView]) -> list[dict[str, Any]]:
    """Return coupons that a call brought."""
    return [
        {"id": view.coupon.public_id, "title": i18n.pick(view.reward.name), "expires_at": view.coupon.expires_at}
        for view in coupons
    ]


def issued_gift_cards(cards: Sequence[rewards.GiftCardView]) -> list[dict[str, Any]]:
    """Return gift cards that a call brought."""
    return [
        {"id": view.card.public_id, "cents": view.card.initial_cents, "expires_at": view.card.expires_at}
        for view in cards
    ]


@blueprint.post("/members")
@idempotent
@blueprint.input(api.MemberIn)
@blueprint.output(api.MemberOut, status_code=201)
def sign_up(json_data: api.MemberIn) -> dict[str, Any]:
    """Sign a member up; consents and contact are confirmed by the member on their own phone."""
    session = web.session()
    place = tills.till_place(session, g.till_id)
    form = JoinForm(
        contact=json_data.contact, contact_2=json_data.contact_2, age=json_data.age_confirmed, source="till",
        language=json_data.language, first_name=json_data.first_name, outlet_slug=place.outlet.slug,
        consents=frozenset(json_data.consents),
    )  # fmt: skip
    joined = members.join(session, form)
    if brand_by_id(session, place.till.brand_id).welcome_at_till:
        welcome.welcome(session, joined.member, contact=joined.contact.value, till=place.till)
    spoken = lookup.codes_of(session, joined.member.id).spoken
    found = scans.read(session, spoken, till=place.till)
    return {
        "scan": found.public_id,
        "member": members.display_name(joined.member),
        "spoken_code": spoken,
        "cards": _cards(joined.member.id),
    }
