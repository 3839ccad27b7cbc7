"""Views of the till API about gift cards: sold, and taken back unused."""

from typing import Any

from app.core import web
from app.doors.api import gift_card_schemas as api
from app.doors.api.views import blueprint, buyer, demand_cashier, till
from app.doors.idempotency import idempotent
from app.rewards import selling


@blueprint.post("/gift-cards")
@idempotent
@blueprint.input(api.GiftCardSaleIn)
@blueprint.output(api.GiftCardSaleOut, status_code=201)
def sell_gift_card(json_data: api.GiftCardSaleIn) -> dict[str, Any]:
    """Sell a gift card, to a member or to who holds its code."""
    demand_cashier(json_data.cashier)
    member = buyer(json_data)[0] if json_data.scan or json_data.member else None
    sold = selling.sell(
        web.session(), json_data.reward, cents=json_data.value_cents, till=till(), receipt=json_data.receipt,
        at=json_data.occurred_at, member=member, cashier=json_data.cashier,
    )  # fmt: skip
    return {
        "gift_card": sold.card.public_id,
        "code": None if member else sold.code,
        "value_cents": sold.card.initial_cents,
        "expires_at": sold.card.expires_at,
    }


@blueprint.post("/gift-cards/<gift_card>/refunds")
@idempotent
@blueprint.input(api.GiftCardRefundIn)
@blueprint.output(api.GiftCardRefundOut, status_code=201)
def refund_gift_card(gift_card: str, json_data: api.GiftCardRefundIn) -> dict[str, Any]:
    """Take an unused gift card of this outlet back; a second refund changes nothing and says so."""
    done = selling.refund(web.session(), gift_card, till=till())
    return {"gift_card": done.card.public_id, "value_cents": done.cents, "repeated": done.repeated}
