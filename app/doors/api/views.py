"""Thin views of the till API: the door proves the till, the services decide."""

from datetime import timedelta
from typing import Any, cast

from apiflask import APIBlueprint
from flask import g, request
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug.exceptions import UnsupportedMediaType

from app.cards import reasons, refunds, views
from app.cards import service as cards
from app.cards.models import Program
from app.core import i18n, web
from app.core.errors import Unauthorized
from app.core.i18n import gettext as _
from app.doors import approvals, guesses, identity
from app.doors.api import schemas as api
from app.doors.idempotency import answered, idempotent
from app.ledger import service as ledger
from app.members import lookup, scans, sign_in
from app.members import service as members
from app.members.forms import JoinForm
from app.members.models import Member
from app.network import staff, tills
from app.network.models import Till
from app.network.service import brand_by_id
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
    session = web.session()
    asking = till()
    found = guesses.scan(json_data.text, till=asking)
    member = session.get_one(Member, found.member_id)
    mine = rewards.of_member(session, member.id)
    ready = [view for view in mine if view.usable and not view.held_from(asking.id)]
    return {
        "scan": found.public_id,
        "member": members.display_name(member),
        "may_redeem": found.may_redeem,
        "note": found.note,
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
    }


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


APPROVED = ("api.purchase", "api.stamp", "api.move_cardboard")  # a manager's PIN may stand in them


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
        rewards.give_welcome(session, member_id=joined.member.id, contact=joined.contact.value)
    spoken = lookup.codes_of(session, joined.member.id).spoken
    found = scans.read(session, spoken, till=place.till)
    return {
        "scan": found.public_id,
        "member": members.display_name(joined.member),
        "spoken_code": spoken,
        "cards": _cards(joined.member.id),
    }


@blueprint.post("/purchases")
@idempotent
@blueprint.input(api.PurchaseIn)
@blueprint.output(api.PurchaseOut, status_code=201)
def purchase(json_data: api.PurchaseIn) -> dict[str, Any]:
    """Book a purchase: awards, filled cards and their coupons; an award of nothing says why."""
    session, asking = web.session(), till()
    if json_data.cashier is not None:
        reseller = tills.till_place(session, asking.id).reseller
        staff.cashier(session, json_data.cashier, reseller_id=reseller.id)
    if json_data.scan is not None:
        found = scans.get(session, json_data.scan, till=asking)
        member, scan_id = session.get_one(Member, found.member_id), cast(int | None, found.id)
    else:
        member, scan_id = guesses.member(cast(str, json_data.member)), None
    basket = ledger.Basket(
        json_data.total_cents, json_data.receipt, json_data.occurred_at, json_data.cashier, approver=g.get("approver")
    )
    result = cards.record_purchase(session, basket, member=member, till=asking, scan_id=scan_id)
    return {
        "purchase": result.public_id,
        "awards": [_award(line, result.due_cents) for line in result.awards],
        "coupons_issued": [_issued(view) for view in result.coupons],
        "coupons_redeemed": [],
        "amount_due_cents": result.due_cents,
    }


def _award(line: cards.AwardLine, due_cents: int) -> dict[str, Any]:
    return {
        "program": line.program.slug,
        "unit": views.unit(line.program.unit)[0 if line.amount == 1 else 1],
        "amount": line.amount,
        "balance": line.balance,
        "size": line.program.full_at or 0,
        "filled": line.filled,
        "rule": line.rule,
        "reason": line.reason,
        "sentence": reasons.sentence(line.reason, line.details, kind=line.program.kind),
    }


def _issued(view: rewards.CouponView) -> dict[str, Any]:
    return {"id": view.coupon.public_id, "title": i18n.pick(view.reward.name), "expires_at": view.coupon.expires_at}


@blueprint.post("/refunds")
@idempotent
@blueprint.input(api.RefundIn)
@blueprint.output(api.RefundOut, status_code=201)
def refund(json_data: api.RefundIn) -> dict[str, Any]:
    """Take a whole purchase of this outlet back; stamps, unused coupons and debts follow. A repeat changes nothing."""
    session, asking = web.session(), till()
    receipt = None
    if json_data.till and json_data.receipt and json_data.local_date:
        receipt = (json_data.till, json_data.receipt, json_data.local_date)
    found = ledger.find_purchase(session, till=asking, public_id=json_data.purchase, receipt=receipt)
    result = refunds.refund(session, found, till=asking)
    slugs = dict(session.execute(select(Program.id, Program.slug)).all())
    return {
        "refund": result.public_id,
        "purchase": found.public_id,
        "amount_cents": result.amount_cents,
        "reversed": [
            {
                "program": slugs[line.program_id],
                "amount": line.amount,
                "balance": line.balance,
                "fills_undone": line.fills_undone,
            }
            for line in result.reversed
        ],
        "coupons_returned": result.coupons_returned,
        "repeated": result.repeated,
    }
