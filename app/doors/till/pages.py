"""The till's pages, as several forms answer with them: between two customers, a member, a coupon."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.core import clock, web
from app.core.crypto import new_id
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.till import offers, paying, readings, results, shape
from app.doors.till.door import ID, page, public_id, till
from app.members import lookup, scans
from app.members.models import Member, Scan
from app.network import pins, tills
from app.network.models import Staff, Till
from app.rewards import selling
from app.rewards import service as rewards


def idle(
    status: int = 200,
    *,
    error: str | None = None,
    text: str = "",
    result: object = None,
    notice: str = "",
    refundable: dict[str, str] | None = None,
) -> Response:
    """Render the till between two customers."""
    session, asking = web.session(), till()
    sells = bool(selling.sellable(session, asking, clock.now()))
    last, today = results.last(session, till_id=asking.id), results.today(session, till_id=asking.id)
    return page(
        "idle", status, error=error, text=text, notice=notice, result=result, refundable=refundable, sells=sells,
        last=last, today=today,
    )  # fmt: skip


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


def scan(
    scan_id: str,
    status: int = 200,
    *,
    redeemed: str = "",
    done: str = "",
    given: MultiDict[str, str] | None = None,
    **shown: Any,
) -> Response:
    """Render the member's page; `given` is what its form had in it, `shown` what is said of that.

    Args:
        redeemed: a coupon that was just redeemed on this page.
        done: what else was just done on it.
    """
    given = given if given is not None else MultiDict()
    codes = offers.read(given)
    session, asking = web.session(), till()
    found = scans.get(session, public_id(scan_id), till=asking)
    member = member_of(found)
    now = clock.now()
    values = {
        "key": new_id(now), "amount": given.get("amount", "")[:12], "receipt": given.get("receipt", "")[:40],
        "error": None, "problem": None, "due": "", "approval": False, "keeps": paying.kept(given),
        "notice": _redeemed(redeemed, member.id) if redeemed else None, "done": None, **shown,
    }  # fmt: skip
    use = offers.shown(session, found, member, given, till=asking)
    approvers = [{"id": one.public_id, "name": one.name} for one in _approvers(session, asking)]
    if ID.fullmatch(done):
        values["done"] = results.find(session, done, till_id=asking.id)
    last = results.last(session, till_id=asking.id)
    shaped = shape.scan(session, found, member, use["coupons"])
    return page("scan", status, scan=shaped, use={**use, "codes": codes}, approvers=approvers, last=last, **values)


def _approvers(session: Session, asking: Till) -> list[Staff]:
    return pins.approvers(session, reseller_id=tills.till_place(session, asking.id).reseller.id)


def _redeemed(coupon_id: str, member_id: int) -> str | None:
    """Return the sentence after a redemption on the member's page."""
    for view in rewards.of_member(web.session(), member_id):
        if view.coupon.public_id == coupon_id and view.coupon.state == "redeemed":
            return _("%(coupon)s redeemed.", coupon=shape.title(view))
    return None


def coupon(
    view: rewards.CouponView,
    origin: str,
    *,
    status: int = 200,
    refused: LeimaError | None = None,
    given: MultiDict[str, str] | None = None,
) -> Response:
    """Render a coupon by its own code; `origin` is the member's page that it was read on, `given` its sale's form."""
    session, asking = web.session(), till()
    usable = view.usable and not view.held_from(asking.id)
    reason = refused or (None if usable else rewards.refusal(session, view))
    back = shape.back(session, origin, till_id=asking.id)
    given = given if given is not None else MultiDict()
    keeps, uses = paying.kept(given), paying.kept(given, readings.name(view))
    shown = shape.voucher(view, reason)
    return page("coupon", status, coupon=shown, key=new_id(clock.now()), back=back, keeps=keeps, uses=uses)
