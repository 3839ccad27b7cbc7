"""Between two customers: what was just done, reading a code, and a coupon by its own code."""

from contextlib import suppress

from flask import Response, request

from app.core import i18n, web
from app.core.crypto import normalize_code
from app.core.errors import LeimaError, TooMany
from app.core.i18n import gettext as _
from app.doors import guesses
from app.doors.idempotency import once
from app.doors.till import pages, paying, prepaid_results, readings, results, shape
from app.doors.till.door import ID, NoSuchPage, attempt, blueprint, go, public_id, till
from app.members import scans
from app.members.rules import read_member_text
from app.rewards import service as rewards


@blueprint.get("")
def idle() -> Response:
    """Wait for the next card, and show what the last form did."""
    done = request.args.get("done", "")
    result = results.find(web.session(), done, till_id=till().id) if ID.fullmatch(done) else None
    return pages.idle(result=result)


@blueprint.post("/scan")
def scan() -> Response:
    """Read what was scanned or typed: a member's code, or a coupon's own."""
    text = request.form.get("text", "")
    return attempt(lambda: _read(text), lambda error: pages.refuse(error, text))


def _read(text: str) -> Response:
    if read_member_text(text) is None and len(normalize_code(text)) == rewards.CODE_SYMBOLS + 1:
        view, origin = paying.by_code(text), request.form.get("from", "")
        if isinstance(view, rewards.GiftCardView):
            return _gift_card(view, origin)
        query = f"?from={origin}&{paying.kept(request.form)}".rstrip("&") if ID.fullmatch(origin) else ""
        return go(f"/till/coupon/{readings.name(view)}{query}")
    return go(f"/till/scan/{guesses.scan(text, till=till()).public_id}")


def _gift_card(view: rewards.GiftCardView, origin: str) -> Response:
    """Put a gift card on the sale of the member's page that it was read on; without one, say what is left on it."""
    back = shape.back(web.session(), f"/till/scan/{origin}", till_id=till().id)
    if back:
        return go(f"{back['url']}?{paying.kept(request.form, readings.name(view))}")
    left = i18n.format_cents(view.card.balance_cents if view.usable else 0)
    notice = _("Gift card, %(amount)s left. Scan the member's card first, then this code.", amount=left)
    return pages.idle(notice=notice, refundable=_refundable(view))


def _refundable(view: rewards.GiftCardView) -> dict[str, str] | None:
    """Return how a gift card is taken back that this outlet sold and nothing is used of; None for any other."""
    session, card = web.session(), view.card
    if not view.usable or card.balance_cents != card.initial_cents:
        return None
    if prepaid_results.sold_gift(session, card.public_id, outlet_id=till().outlet_id) is None:
        return None
    return {"code": readings.name(view), "money": i18n.format_cents(card.initial_cents)}


@blueprint.get("/coupon/<reading>")
def coupon(reading: str) -> Response:
    """Show a coupon whose own code was read here, and whether it can be used."""
    view = readings.look(reading)
    if not isinstance(view, rewards.CouponView):
        raise NoSuchPage(_("There is nothing here."))
    origin = request.args.get("from", "")
    return pages.coupon(view, f"/till/scan/{origin}", given=request.args)


@blueprint.post("/redeem")
def redeem() -> Response:
    """Redeem a coupon once: by its button on the member's page, or by its own code."""
    return attempt(lambda: once(_redeem), _redeem_refused)


def _redeem() -> Response:
    session, asking, form = web.session(), till(), request.form
    if form.get("coupon"):
        view = _of_scan(public_id(form.get("scan", "")), public_id(form["coupon"]))
    else:
        _check_scan(form.get("scan"))
        view = guesses.coupon(form.get("code", ""))
    scan_id = scans.row_id(session, form.get("scan", ""), till=asking)
    redemption = rewards.redeem(session, view.code, till=asking, scan_id=scan_id)
    path = _origin()
    return go(f"{path}?redeemed={view.coupon.public_id}" if path else f"/till?done={redemption.public_id}")


def _check_scan(scan_id: str | None) -> None:
    """Refuse a form on the page of another till; the coupon's own code works after the scan's time too."""
    with suppress(scans.ScanExpired):
        if scan_id:
            scans.get(web.session(), public_id(scan_id), till=till())


def _origin() -> str:
    """Return the member's page that the form was on; empty when there is none or its scan is over."""
    path = f"/till/scan/{request.form['scan']}" if request.form.get("scan") else request.form.get("from", "")
    found = shape.back(web.session(), path, till_id=till().id)
    return found["url"] if found else ""


def _of_scan(scan_id: str, coupon_id: str) -> rewards.CouponView:
    """Return a coupon of the member who was scanned; only a moving code lets a till see and use it."""
    session = web.session()
    found = scans.get(session, scan_id, till=till())
    if not found.may_redeem:
        raise rewards.CouponNotUsable(
            _("To redeem, scan the moving code in the member's app, or type the coupon's own code.")
        )
    mine = rewards.of_member(session, pages.member_of(found).id)
    view = next((view for view in mine if view.coupon.public_id == coupon_id), None)
    if view is None:
        raise rewards.CouponUnknown(_("There is no such coupon."))
    return view


def _redeem_refused(error: LeimaError) -> Response:
    """Answer on the page that the form was on; 409 or 422, and nothing is used."""
    form, session = request.form, web.session()
    status = pages.status_of(error)
    if form.get("scan") and shape.back(session, f"/till/scan/{form['scan']}", till_id=till().id):
        return pages.scan(form["scan"], status, problem=shape.why(error))
    if form.get("scan") or isinstance(error, (rewards.CouponUnknown, TooMany)):
        return pages.refuse(error, form.get("code", ""))
    try:
        view = rewards.find(session, form.get("code", ""))
    except rewards.CouponUnknown:
        return pages.refuse(error, form.get("code", ""))
    return pages.coupon(view, form.get("from", ""), status=status, refused=error)
