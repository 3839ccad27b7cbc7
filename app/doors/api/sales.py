"""Views of the till API about sales: booked, quoted, taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import select

from app.cards import explain, reasons, refunds, views
from app.cards import service as cards
from app.cards.models import Program
from app.cards.paying import Payment, Wishes
from app.cards.units import MONEY
from app.core import clock, i18n, web
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.doors import guesses
from app.doors.api import sale_schemas as api
from app.doors.api.views import blueprint, buyer, demand_cashier, issued, issued_gift_cards, till
from app.doors.idempotency import idempotent
from app.ledger import service as ledger
from app.members import scans
from app.members.models import Member
from app.rewards.offers import Wanted


class LineTwice(Invalid):
    """A line stands twice in one refund."""

    code = "line_twice"


@blueprint.post("/purchases")
@idempotent
@blueprint.input(api.PurchaseIn)
@blueprint.output(api.PurchaseOut, status_code=201)
def purchase(json_data: api.PurchaseIn) -> dict[str, Any]:
    """Book a purchase: awards, filled cards and their coupons; an award of nothing says why."""
    return book(json_data)


def book(given: api.PurchaseIn, *, offline: bool = False) -> dict[str, Any]:
    """Book a purchase of this till and return the answer.

    Args:
        offline: it comes from the queue of a till, so nobody can be asked any more.
    """
    session, asking = web.session(), till()
    member, scan_id, wishes = _who_and_how(given, offline_at=given.occurred_at if offline else None)
    basket = ledger.Basket(
        given.total_cents, given.receipt, given.occurred_at, given.cashier, _lines(given), g.get("approver")
    )  # fmt: skip
    result = cards.record_purchase(session, basket, member=member, till=asking, scan_id=scan_id, wishes=wishes)
    redeemed = zip(result.payment.coupons, result.redemptions, strict=True)
    return {
        "purchase": result.public_id,
        **_met(result.payment, result.awards, left=lambda use: use.view.card.balance_cents),
        "coupons_issued": issued(result.coupons),
        "gift_cards_issued": issued_gift_cards(result.gift_cards),
        "coupons_redeemed": [
            {**_coupon_use(use), "redemption": row.public_id, "settlement_cents": row.settlement_cents}
            for use, row in redeemed
        ],
    }


@blueprint.post("/quotes")
@idempotent
@blueprint.input(api.QuoteIn)
@blueprint.output(api.QuoteOut, status_code=201)
def quote(json_data: api.QuoteIn) -> dict[str, Any]:
    """Say what a purchase would earn, cost and use; books nothing."""
    session, asking = web.session(), till()
    member, _scan_id, wishes = _who_and_how(json_data)
    basket = ledger.Basket(
        json_data.total_cents, "quote", json_data.occurred_at or clock.now(), json_data.cashier,
        _lines(json_data), g.get("approver"),
    )  # fmt: skip
    found = cards.quote(session, basket, member_id=member.id, till=asking, wishes=wishes)
    met = _met(found.payment, found.awards, left=lambda use: use.view.card.balance_cents - use.cents)
    return {**met, "coupons": [_coupon_use(use) for use in found.payment.coupons]}


def _who_and_how(given: api.BasketIn, *, offline_at: datetime | None = None) -> tuple[Member, int | None, Wishes]:
    """Return who buys, the scan, and what the basket is paid with; wrong codes are counted."""
    demand_cashier(given.cashier)
    member, scan = buyer(given, at=offline_at)
    if given.spend:
        scans.demand_redeem(scan)
    wishes = Wishes(
        given.spend,
        tuple(guesses.coupon(code).code for code in given.coupons),
        _gift_cards(given.gift_cards),
        _offers(given),
        offline_at is not None,
    )
    return member, scan.id if scan else None, wishes


def _gift_cards(given: list[api.GiftCardIn]) -> Mapping[str, int | None]:
    wishes: dict[str, int | None] = {}
    for card in given:
        code = guesses.gift_card(card.code).code
        if code in wishes:
            raise cards.CodeTwice(_("A code stands twice in this basket."))
        wishes[code] = card.cents
    return wishes


def _offers(given: api.BasketIn) -> tuple[Wanted, ...]:
    """Return the lines that name a member price."""
    lines = zip(given.lines, _lines(given), strict=True)
    return tuple(
        Wanted(number, told.offer, line, told.normal_price_cents)
        for number, (told, line) in enumerate(lines, start=1)
        if told.offer
    )


def _lines(given: api.BasketIn) -> tuple[ledger.Line, ...]:
    return tuple(
        ledger.Line(line.sku, line.group, line.quantity, line.unit_price_cents, line.vat_rate_bp)
        for line in given.lines
    )


def _met(payment: Payment, awards: list[cards.AwardLine], *, left: Any) -> dict[str, Any]:
    programs = {line.program.id: line.program.slug for line in awards}
    return {
        "awards": [_award(line) for line in awards],
        "gift_cards_used": [
            {"id": use.view.card.public_id, "cents": use.cents, "balance_cents": left(use)}
            for use in payment.gift_cards
        ],
        "spent": {programs[program_id]: cents for program_id, cents in payment.spends.items()},
        "discount_cents": payment.paid.discount_cents,
        "amount_due_cents": payment.paid.due_cents,
    }


def _award(line: cards.AwardLine) -> dict[str, Any]:
    unit = views.unit(line.program.unit)
    return {
        "program": line.program.slug,
        "kind": line.program.kind,
        "unit": unit[0 if line.amount == 1 else 1],
        "amount": line.amount,
        "pending": line.pending,
        "balance": line.balance,
        "size": line.program.full_at or 0,
        "filled": line.filled,
        "rule": line.rule,
        "explanation": explain.explain(line.parts, unit, amount=line.amount, money=line.program.kind in MONEY),
        "reason": line.reason,
        "sentence": reasons.sentence(line.reason, line.details, kind=line.program.kind),
    }


def _coupon_use(use: cards.CouponUse) -> dict[str, Any]:
    title = i18n.pick(use.view.reward.name)
    return {"id": use.view.coupon.public_id, "title": title, "discount_cents": use.discount_cents}


@blueprint.post("/refunds")
@idempotent
@blueprint.input(api.RefundIn)
@blueprint.output(api.RefundOut, status_code=201)
def refund(json_data: api.RefundIn) -> dict[str, Any]:
    """Take a purchase of this outlet back, whole or by lines; stamps, unused coupons and debts follow."""
    return take_back(json_data)


def take_back(given: api.RefundIn, *, at: datetime | None = None) -> dict[str, Any]:
    """Book a refund of now, or of when the till was offline, and return the answer."""
    session, asking = web.session(), till()
    if at is not None:
        ledger.check_time(at)
    receipt = None
    if given.till and given.receipt and given.local_date:
        receipt = (given.till, given.receipt, given.local_date)
    found = ledger.find_purchase(session, till=asking, public_id=given.purchase, receipt=receipt)
    wanted = {line.line: line.quantity for line in given.lines}
    if len(wanted) < len(given.lines):
        raise LineTwice(_("A line stands twice in this refund."))
    result = refunds.refund(session, found, till=asking, lines=wanted or None, at=at)
    slugs = dict(session.execute(select(Program.id, Program.slug)).all())
    return {
        "refund": result.public_id,
        "purchase": found.public_id,
        "amount_cents": result.amount_cents,
        "paid_cents": result.paid_cents,
        "spent_cents": result.spent_cents,
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
