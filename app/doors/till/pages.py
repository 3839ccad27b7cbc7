"""The till's pages, as several forms answer with them: between two customers, a member, a coupon."""

from typing import Any

from flask import Response

from app.core import clock, web
from app.core.crypto import new_id
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.till import results, shape
from app.doors.till.door import page, public_id, till
from app.members import lookup, scans
from app.members.models import Member, Scan
from app.rewards import service as rewards


def idle(status: int = 200, *, error: str | None = None, text: str = "", result: object = None) -> Response:
    """Render the till between two customers."""
    session, asking = web.session(), till()
    last, today = results.last(session, till_id=asking.id), results.today(session, till_id=asking.id)
    return page("idle", status, error=error, text=text, result=result, last=last, today=today)


def refuse(error: LeimaError, text: str = "") -> Response:
    """Render the till between two customers with a sentence on what went wrong."""
    return idle(status_of(error), error=shape.why(error), text=text[:300])


def status_of(error: LeimaError) -> int:
    """Return the status of a refused form: what was typed names nothing, the page itself is there."""
    return error.status if error.status != 404 else 422


def member_of(found: Scan) -> Member:
    """Return the member who was scanned.

    Raises:
        MemberCodeUnknown: erased since the scan.
    """
    member = lookup.live(web.session(), found.member_id)
    if member is None:
        raise scans.MemberCodeUnknown(_("This is not the code of a card here."))
    return member


def scan(scan_id: str, status: int = 200, *, redeemed: str = "", **shown: Any) -> Response:
    """Render the member's page; `shown` is what a refused form said and had in it."""
    session, asking = web.session(), till()
    found = scans.get(session, public_id(scan_id), till=asking)
    member = member_of(found)
    now = clock.now()
    mine = rewards.of_member(session, member.id)
    ready = [shape.offer(view, new_id(now)) for view in mine if view.usable and not view.held_from(asking.id)]
    values = {
        "key": new_id(now), "code_key": new_id(now), "amount": "", "receipt": "", "error": None, "problem": None,
        "notice": _redeemed(redeemed, member.id) if redeemed else None, **shown,
    }  # fmt: skip
    last = results.last(session, till_id=asking.id)
    return page("scan", status, scan=shape.scan(session, found, member, ready), last=last, **values)


def _redeemed(coupon_id: str, member_id: int) -> str | None:
    """Return the sentence after a redemption on the member's page."""
    for view in rewards.of_member(web.session(), member_id):
        if view.coupon.public_id == coupon_id and view.coupon.state == "redeemed":
            return _("%(coupon)s redeemed.", coupon=shape.title(view))
    return None


def coupon(view: rewards.CouponView, origin: str, *, status: int = 200, refused: LeimaError | None = None) -> Response:
    """Render a coupon by its own code; `origin` is the member's page that it was scanned on."""
    session, asking = web.session(), till()
    usable = view.usable and not view.held_from(asking.id)
    reason = refused or (None if usable else rewards.refusal(session, view))
    back = shape.back(session, origin, till_id=asking.id)
    return page("coupon", status, coupon=shape.voucher(view, reason), key=new_id(clock.now()), back=back)
