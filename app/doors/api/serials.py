"""Views of the till API about serial cards: sold, used, taken back."""

from datetime import datetime
from typing import Any

from app.cards import serial
from app.cards.serial_models import SerialCard, SerialUse
from app.core import web
from app.doors.api import serial_schemas as api
from app.doors.api.views import blueprint, buyer, demand_cashier, till
from app.doors.idempotency import idempotent
from app.ledger import service as ledger
from app.members import scans


@blueprint.post("/serial-cards")
@idempotent
@blueprint.input(api.SerialSaleIn)
@blueprint.output(api.SerialSaleOut, status_code=201)
def sell_serial_card(json_data: api.SerialSaleIn) -> dict[str, Any]:
    """Sell a serial card: uses that are paid in advance."""
    demand_cashier(json_data.cashier)
    member, _scan = buyer(json_data)
    sold = serial.sell(
        web.session(), json_data.program, member=member, till=till(), receipt=json_data.receipt,
        at=json_data.occurred_at, took_cents=json_data.price_cents, cashier=json_data.cashier,
    )  # fmt: skip
    return {
        "serial_card": sold.card.public_id,
        "program": json_data.program,
        "uses": sold.card.uses,
        "balance": sold.balance,
        "expires_at": sold.card.expires_at,
    }


@blueprint.post("/serial-cards/uses")
@idempotent
@blueprint.input(api.SerialUsesIn)
@blueprint.output(api.SerialUsesOut, status_code=201)
def use_serial_card(json_data: api.SerialUsesIn) -> dict[str, Any]:
    """Use some of what a member has paid in advance."""
    return use(json_data)


def use(given: api.SerialUsesIn, *, at: datetime | None = None) -> dict[str, Any]:
    """Use a member's serial cards at this till, now or when it was offline, and return the answer."""
    session, asking = web.session(), till()
    if at is not None:
        ledger.check_time(at)
    scan = scans.get(session, given.scan, till=asking, at=at)
    scans.demand_redeem(scan)
    used = serial.use(session, given.program, member_id=scan.member_id, till=asking, uses=given.uses, at=at)
    return {"uses": [_used(row, card) for row, card in used.rows], "balance": used.balance}


def _used(row: SerialUse, card: SerialCard) -> dict[str, Any]:
    into = "bonus" if row.credit_entry_id is not None else "gift_card"
    return {
        "use": row.public_id,
        "serial_card": card.public_id,
        "uses": row.uses,
        "settlement_cents": row.share_cents,
        "left": card.left,
        "credit_cents": row.credit_cents,
        "credit_to": into if row.credit_cents else None,
    }


@blueprint.post("/serial-cards/uses/<serial_use>/reversals")
@idempotent
@blueprint.input(api.SerialReversalIn)
@blueprint.output(api.SerialReversalOut, status_code=201)
def reverse_serial_use(serial_use: str, json_data: api.SerialReversalIn) -> dict[str, Any]:
    """Take uses of this outlet back; a second reversal changes nothing and says so."""
    done = serial.reverse(web.session(), serial_use, till=till())
    return {
        "use": done.use.public_id,
        "serial_card": done.card.public_id,
        "uses": done.use.uses,
        "balance": done.balance,
        "credit_taken_cents": done.credit_taken_cents,
        "expires_at": done.card.expires_at,
        "repeated": done.repeated,
    }


@blueprint.post("/serial-cards/<serial_card>/refunds")
@idempotent
@blueprint.input(api.SerialReversalIn)
@blueprint.output(api.SerialRefundOut, status_code=201)
def refund_serial_card(serial_card: str, json_data: api.SerialReversalIn) -> dict[str, Any]:
    """Take an unused card of this outlet back; a second refund changes nothing and says so."""
    done = serial.refund(web.session(), serial_card, till=till())
    return {"serial_card": done.card.public_id, "price_cents": done.card.price_cents, "repeated": done.repeated}
