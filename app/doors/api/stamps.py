"""Views of the till API about stamps without a purchase: by hand, and from a cardboard card."""

from datetime import datetime
from typing import Any

from flask import g

from app.cards import by_hand, reasons, views
from app.core import web
from app.doors.api import stamp_schemas as api
from app.doors.api.views import blueprint, buyer, demand_cashier, issued, issued_gift_cards, till
from app.doors.idempotency import idempotent


@blueprint.post("/stamps")
@idempotent
@blueprint.input(api.StampIn)
@blueprint.output(api.StampOut, status_code=201)
def stamp(json_data: api.StampIn) -> dict[str, Any]:
    """Give stamps by hand, with cashier and reason; what a limit cuts is 0, and the answer says why."""
    return give(json_data)


def give(json_data: api.StampIn, *, at: datetime | None = None) -> dict[str, Any]:
    """Give stamps by hand at this till, now or when it was offline, and return the answer."""
    demand_cashier(json_data.cashier)
    member, _scan = buyer(json_data, at=at)
    given = by_hand.stamp(
        web.session(), member, till=till(), program=json_data.program, wanted=json_data.amount,
        cashier=json_data.cashier, reason=json_data.reason, approver=g.get("approver"), occurred_at=at,
    )  # fmt: skip
    return _given(given)


@blueprint.post("/cardboard-cards")
@idempotent
@blueprint.input(api.CardboardIn)
@blueprint.output(api.StampOut, status_code=201)
def move_cardboard(json_data: api.CardboardIn) -> dict[str, Any]:
    """Move a cardboard card over once, with a manager's PIN."""
    demand_cashier(json_data.cashier)
    member, _scan = buyer(json_data)
    given = by_hand.move_cardboard(
        web.session(), member, till=till(), program=json_data.program, stamps=json_data.stamps,
        cashier=json_data.cashier, approver=g.approver,
    )  # fmt: skip
    return _given(given)


def _given(given: by_hand.Given) -> dict[str, Any]:
    program = given.program
    return {
        "stamp": given.public_id,
        "program": program.slug,
        "unit": views.unit(program.unit)[0 if given.amount == 1 else 1],
        "amount": given.amount,
        "balance": given.balance,
        "size": program.full_at or 0,
        "filled": given.filled,
        "reason": given.reason,
        "sentence": reasons.sentence(given.reason, given.values, kind=program.kind),
        "coupons_issued": issued(given.coupons),
        "gift_cards_issued": issued_gift_cards(given.gift_cards),
    }
