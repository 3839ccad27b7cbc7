"""Cards that are paid in advance at the till page: serial cards are used and sold, a gift card is sold to a member."""

from typing import Any

from flask import Response, request

from app.cards import serial
from app.core import clock, web
from app.core.crypto import new_id
from app.core.errors import Invalid, LeimaError
from app.core.i18n import gettext as _
from app.doors.idempotency import KeyReused, once
from app.doors.till import pages, paying, prepaid, sales, shape
from app.doors.till.door import attempt, blueprint, go, page, public_id, till
from app.members import scans
from app.members.models import Member, Scan
from app.rewards import selling

FIELDS = ("item", "amount", "receipt")
MOST_USES = 1000


class UsesInvalid(Invalid):
    """What was typed is no number of uses."""

    code = "uses_invalid"


class NothingChosen(Invalid):
    """The form says of nothing that is sold here that it was sold."""

    code = "nothing_chosen"


@blueprint.post("/uses")
def use() -> Response:
    """Use a serial card of the member at the till, exactly once; a second click is led to the same result."""
    return attempt(lambda: once(_use), _use_refused)


def _use() -> Response:
    session, asking, form = web.session(), till(), request.form
    found = scans.get(session, public_id(form.get("scan", "")), till=asking)
    scans.demand_redeem(found)
    uses = _whole(form.get("uses", "1"))
    member_id = pages.member_of(found).id
    used = serial.use(session, form.get("program", ""), member_id=member_id, till=asking, uses=uses)
    return go(f"/till/scan/{found.public_id}?done={used.rows[0][0].public_id}&{paying.kept(form)}".rstrip("&"))


def _whole(text: str) -> int:
    typed = text.strip()
    if not typed.isascii() or not typed.isdigit() or len(typed) > 4 or not 1 <= int(typed) <= MOST_USES:
        raise UsesInvalid(_("Please type how many are used, like 1."))
    return int(typed)


def _use_refused(error: LeimaError) -> Response:
    if isinstance(error, scans.ScanExpired):
        return pages.refuse(error)
    status, given = pages.status_of(error), request.form
    return pages.scan(given.get("scan", ""), status, given=given, problem=_why(error))


def _why(error: LeimaError) -> str:
    if isinstance(error, KeyReused):
        return _("This was recorded already, with something else typed. Please look at the row below.")
    return shape.why(error)


@blueprint.get("/scan/<scan_id>/cards")
def cards(scan_id: str) -> Response:
    """Show what is sold to the member at the till, and what may be taken back."""
    return attempt(lambda: _page(scan_id, dict.fromkeys(FIELDS, "")), pages.refuse)


def _page(scan_id: str, form: dict[str, str], status: int = 200, *, error: str = "") -> Response:
    found, member = _of_scan(scan_id)
    session, asking = web.session(), till()
    shown: dict[str, Any] = {
        "scan": {"id": found.public_id, "name": shape.name(member), "may_redeem": found.may_redeem},
        "why_not": shape.why_not(found),
        "stocks": prepaid.stocks(session, member),
        "items": prepaid.items(session, asking),
        "returns": prepaid.returns(session, member, outlet_id=asking.outlet_id),
    }
    keeps = paying.kept(request.args)
    return page("cards", status, keeps=keeps, key=new_id(clock.now()), form=form, error=error, **shown)


def _of_scan(scan_id: str) -> tuple[Scan, Member]:
    found = scans.get(web.session(), public_id(scan_id), till=till())
    return found, pages.member_of(found)


@blueprint.post("/cards")
def sell_card() -> Response:
    """Sell a serial card or a gift card to the member, exactly once; a second click is led to the same result."""
    return attempt(lambda: once(_sell), _sell_refused)


def _sell() -> Response:
    form = request.form
    found, member = _of_scan(form.get("scan", ""))
    kind, _colon, item = form.get("item", "").partition(":")
    sold = {prepaid.SERIAL: _serial, prepaid.GIFT: _gift}.get(kind, _nothing)(item, member)
    return go(f"/till/scan/{found.public_id}?done={sold}")


def _serial(item: str, member: Member) -> str:
    slug, _colon, price = item.partition(":")
    sold = serial.sell(
        web.session(), slug, member=member, till=till(), receipt=sales.receipt(request.form.get("receipt", "")),
        at=clock.now(), took_cents=sales.whole(price),
    )  # fmt: skip
    return sold.card.public_id


def _gift(item: str, member: Member) -> str:
    form = request.form
    sold = selling.sell(
        web.session(), item, cents=paying.cents(form.get("amount", "")), till=till(), member=member,
        receipt=sales.receipt(form.get("receipt", "")), at=clock.now(),
    )  # fmt: skip
    return sold.card.public_id


def _nothing(_item: str, _member: Member) -> str:
    raise NothingChosen(_("Please choose what is sold."))


def _sell_refused(error: LeimaError) -> Response:
    if isinstance(error, scans.ScanExpired):
        return pages.refuse(error)
    form = request.form
    kept = {name: form.get(name, "")[:80] for name in FIELDS}
    return _page(form.get("scan", ""), kept, pages.status_of(error), error=_why(error))
