"""What was done by mistake: undone within sixty seconds at the till that did it, or taken back later at its outlet."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from sqlalchemy import select

from app.cards import refunds, serial, serial_views
from app.cards.serial_models import SerialCard
from app.core import clock, web
from app.core.errors import Conflict, LeimaError
from app.core.i18n import gettext as _
from app.doors.till import pages, prepaid_results, readings, results, shape
from app.doors.till.door import NoSuchPage, attempt, blueprint, go, public_id, till
from app.ledger import service as ledger
from app.members import scans
from app.network.models import Till
from app.rewards import selling
from app.rewards import service as rewards


class UndoOver(Conflict):
    """More than 60 seconds have passed since the sale."""

    code = "undo_over"


@blueprint.post("/undo")
def undo() -> Response:
    """Take a sale or a use of this till back within 60 seconds."""
    return attempt(_undo, _refused)


def _undo() -> Response:
    asking, form = till(), request.form
    field = next((name for name in _BACK if form.get(name)), "purchase")
    done = public_id(form.get(field, ""))
    if field == "purchase":
        _undo_sale(done, asking)
        return go(f"/till?done={done}")
    _BACK[field](done, asking, _Minute(asking))
    return go(f"{_origin()}?done={done}")


def _origin() -> str:
    """Return the member's page that the form was on; the first page where there is none or its scan is over."""
    back = shape.back(web.session(), f"/till/scan/{request.form.get('scan', '')}", till_id=till().id)
    return back["url"] if back else "/till"


def _undo_sale(done: str, asking: Till) -> None:
    session = web.session()
    found = ledger.find_purchase(session, till=asking, public_id=done)
    if found.till_id != asking.id:
        raise ledger.PurchaseUnknown(_("There is no such purchase at this till."))
    if not results.is_refunded(session, found):
        _demand_minute(found.recorded_at, _("The minute to undo this sale is over. A refund takes it back now."))
        refunds.refund(session, found, till=asking)


def _demand_minute(recorded_at: datetime, otherwise: str) -> None:
    if recorded_at + prepaid_results.UNDO <= clock.now():
        raise UndoOver(otherwise)


class _Minute:
    """Lets a till take back what it did itself within the last minute."""

    def __init__(self, asking: Till) -> None:
        self.asking = asking

    def __call__(self, *, till_id: int, recorded_at: datetime, member_id: int | None, money: bool) -> None:
        if till_id != self.asking.id:
            raise NoSuchPage(_("There is nothing here."))
        _demand_minute(
            recorded_at, _("The minute to undo this is over. Scan the member's card: it is taken back there.")
        )


class _OfScan:
    """Lets an outlet take back what is the scanned member's; money is paid out by a scan that may redeem only."""

    def __init__(self, scan_id: str, asking: Till) -> None:
        self.scan = scans.get(web.session(), public_id(scan_id), till=asking)
        self.member_id = pages.member_of(self.scan).id

    def __call__(self, *, till_id: int, recorded_at: datetime, member_id: int | None, money: bool) -> None:
        if member_id != self.member_id:
            raise NoSuchPage(_("There is nothing here."))
        if money:
            scans.demand_redeem(self.scan)


@blueprint.post("/take-back")
def take_back() -> Response:
    """Take back uses, a serial card or a gift card of this outlet; a second click changes nothing."""
    return attempt(_take_back, _refused)


def _take_back() -> Response:
    asking, form = till(), request.form
    if form.get("code"):
        view = readings.demand(form["code"])
        if not isinstance(view, rewards.GiftCardView):
            raise NoSuchPage(_("There is nothing here."))
        selling.refund(web.session(), view.card.public_id, till=asking)
        return go(f"/till?done={view.card.public_id}")
    field = next((name for name in _BACK if form.get(name)), "use")
    done = public_id(form.get(field, ""))
    _BACK[field](done, asking, _OfScan(form.get("scan", ""), asking))
    return go(f"{_origin()}?done={done}")


def _uses_back(done: str, asking: Till, allow: Callable[..., None]) -> None:
    session = web.session()
    press = serial_views.press(session, done, outlet_id=asking.outlet_id)
    if press is None:
        raise NoSuchPage(_("There is nothing here."))
    if not press.is_back:
        first = press.rows[0]
        allow(till_id=first.till_id, recorded_at=first.recorded_at, member_id=press.member_id, money=False)
        for row in reversed(press.rows):
            serial.reverse(session, row.public_id, till=asking)


def _serial_back(done: str, asking: Till, allow: Callable[..., None]) -> None:
    session = web.session()
    wanted = select(SerialCard).where(SerialCard.public_id == done, SerialCard.outlet_id == asking.outlet_id)
    card = session.scalar(wanted)
    if card is None:
        raise NoSuchPage(_("There is nothing here."))
    if card.refunded_at is None:
        allow(till_id=card.till_id, recorded_at=card.recorded_at, member_id=card.member_id, money=True)
        serial.refund(session, done, till=asking)


def _gift_back(done: str, asking: Till, allow: Callable[..., None]) -> None:
    session = web.session()
    sold = prepaid_results.sold_gift(session, done, outlet_id=asking.outlet_id)
    if sold is None:
        raise NoSuchPage(_("There is nothing here."))
    card, sale = sold
    if sale.refunded_at is None:
        allow(till_id=sale.till_id, recorded_at=sale.recorded_at, member_id=card.member_id, money=True)
        selling.refund(session, done, till=asking)


_BACK: dict[str, Callable[[str, Till, Callable[..., None]], None]] = {
    "use": _uses_back, "serial": _serial_back, "gift": _gift_back,
}  # fmt: skip


def _refused(error: LeimaError) -> Response:
    scan_id = request.form.get("scan", "")
    if shape.back(web.session(), f"/till/scan/{scan_id}", till_id=till().id):
        return pages.scan(scan_id, pages.status_of(error), problem=shape.why(error))
    return pages.refuse(error)
