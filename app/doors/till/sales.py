"""A member is at the till: amount, one button, and sixty seconds in which it can be undone."""

from typing import Any

from flask import Response, jsonify, request
from werkzeug.datastructures import MultiDict

from app.cards import limits, reasons, units
from app.cards import service as cards
from app.core import clock, i18n, web
from app.core.crypto import random_symbols
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.core.money import MAX_CENTS, AmountInvalid
from app.doors import approvals
from app.doors.idempotency import KeyReused, once
from app.doors.till import pages, paying
from app.doors.till.door import attempt, blueprint, go, public_id, till
from app.ledger import service as ledger
from app.members import scans
from app.network import pins

# Refusals after which the page asks for a manager's PIN.
APPROVAL = (limits.NeedsApproval, pins.ApprovalRefused, approvals.TooManyWrongPins, paying.ApproverMissing)


@blueprint.get("/scan/<scan_id>")
def scanned(scan_id: str) -> Response:
    """Show the member: cards, coupons, the amount to type; and what was just done on this page."""
    given = request.args
    redeemed, done = given.get("redeemed", ""), given.get("done", "")
    return attempt(lambda: pages.scan(scan_id, redeemed=redeemed, done=done, given=given), pages.refuse)


@blueprint.get("/scan/<scan_id>/quote")
def quote(scan_id: str) -> Response:
    """Say what the button would do for an amount; books nothing."""
    try:
        return jsonify(_quote(public_id(scan_id), whole(request.args.get("total_cents", "")), request.args))
    except LeimaError as error:
        return web.problem(error.status, error.code, error.message)


def whole(text: str) -> int:
    """Return the cents that a page counts in.

    Raises:
        AmountInvalid
    """
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_CENTS:
        raise AmountInvalid(_("The amount is not a sum of money."))
    return int(text)


def _quote(scan_id: str, cents: int, given: MultiDict[str, str]) -> dict[str, Any]:
    session = web.session()
    found = scans.get(session, scan_id, till=till())
    member = pages.member_of(found)
    basket = ledger.Basket(cents, "quote", clock.now())
    wishes = paying.wishes(found, member, given)
    quoted = cards.quote(session, basket, member_id=member.id, till=till(), wishes=wishes)
    due = quoted.payment.paid.due_cents
    asked = wishes.coupons or wishes.gift_cards or wishes.spend
    told = {"due": _("%(amount)s to pay", amount=i18n.format_cents(due)) if asked else ""}
    return told | _button(quoted.awards)


def _button(lines: list[cards.AwardLine]) -> dict[str, Any]:
    """Return what the button says: what the first program gives, and what it becomes."""
    if not lines or not lines[0].amount:
        reason = reasons.sentence(lines[0].reason, lines[0].details, kind=lines[0].program.kind) if lines else ""
        return {"label": _("Record the sale"), "sub": "", "reason": reason, "award": 0}
    line = lines[0]
    kind, forms = line.program.kind, units.unit(line.program.unit)
    unit = forms[0] if line.amount == 1 and kind not in units.MONEY else forms[1]
    label = _("Give %(n)s %(unit)s", n=units.number(kind, line.amount), unit=unit)
    balance, size = units.number(kind, line.balance), units.number(kind, line.program.full_at or 0)
    sub = _("becomes %(n)s of %(size)s", n=balance, size=size)
    if not line.program.full_at:
        sub = "" if line.pending else _("becomes %(n)s", n=balance)
    if line.filled:
        sub = ngettext(
            "fills the card: %(n)s coupon, then %(rest)s of %(size)s",
            "fills %(n)s cards: %(n)s coupons, then %(rest)s of %(size)s",
            line.filled,
            rest=balance,
            size=size,
        )
    reason = reasons.sentence(line.reason, line.details, kind=line.program.kind)
    return {"label": label, "sub": sub, "reason": reason, "award": line.amount}


@blueprint.post("/purchase")
def purchase() -> Response:
    """Book a sale exactly once; a second click is led to the same result. `count` only says what is to pay."""
    return attempt(_count if "count" in request.form else _approved, _book_refused)


def _count() -> Response:
    form = request.form
    told = _quote(public_id(form.get("scan", "")), paying.cents(form.get("amount", "")), form)
    return pages.scan(form["scan"], given=form, due=told["due"])


def _approved() -> Response:
    approver = paying.approver()
    return once(lambda: _book(approver))


def _book(approver: str | None) -> Response:
    session, asking, form = web.session(), till(), request.form
    found = scans.get(session, public_id(form.get("scan", "")), till=asking)
    member, number = pages.member_of(found), receipt(form.get("receipt", ""))
    basket = ledger.Basket(paying.cents(form.get("amount", "")), number, clock.now(), None, (), approver)
    wishes = paying.wishes(found, member, form)
    result = cards.record_purchase(session, basket, member=member, till=asking, scan_id=found.id, wishes=wishes)
    return go(f"/till?done={result.public_id}")


def receipt(typed: str) -> str:
    """Return the receipt's number, else one that no receipt of this till has."""
    if not typed.strip():
        return f"P-{random_symbols(10)}"
    if not typed.isprintable():
        raise ledger.ReceiptInvalid(_("A receipt number has 1 to 40 characters."))
    return typed


def _book_refused(error: LeimaError) -> Response:
    form = request.form
    if isinstance(error, scans.ScanExpired):
        return pages.refuse(error)
    message = error.message
    if isinstance(error, KeyReused):
        message = _("This sale is recorded already, with another amount: see the row below.")
    approval = isinstance(error, APPROVAL)
    return pages.scan(form.get("scan", ""), pages.status_of(error), given=form, error=message, approval=approval)
