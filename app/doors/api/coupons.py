"""Views of the till API about coupons: held for a moment, redeemed once ever, taken back."""

from datetime import datetime
from typing import Any

from app.core import i18n, web
from app.doors import guesses
from app.doors.api import coupon_schemas as api
from app.doors.api.views import blueprint, till
from app.doors.idempotency import idempotent
from app.ledger import service as ledger
from app.rewards import service as rewards


@blueprint.post("/coupons/<code>/reservations")
@idempotent
@blueprint.input(api.ReservationIn)
@blueprint.output(api.ReservationOut, status_code=201)
def reserve(code: str, json_data: api.ReservationIn) -> dict[str, Any]:
    """Hold a coupon for this till for 5 minutes; no other till can use it meanwhile."""
    view = guesses.coupon(code)
    held = rewards.reserve(web.session(), view.code, till=till())
    return {
        "coupon": held.view.coupon.public_id,
        "title": i18n.pick(held.view.reward.name),
        "expires_at": held.until,
    }


@blueprint.post("/coupons/<code>/redemptions")
@idempotent
@blueprint.input(api.RedemptionIn)
@blueprint.output(api.RedemptionOut, status_code=201)
def redeem(code: str, json_data: api.RedemptionIn) -> dict[str, Any]:
    """Redeem a coupon once ever; a repeat with the same key returns the first answer."""
    return use(code, json_data)


def use(code: str, given: api.RedemptionIn, *, at: datetime | None = None) -> dict[str, Any]:
    """Redeem a coupon at this till, now or when it was offline, and return the answer."""
    session, asking = web.session(), till()
    basket = ledger.find_purchase(session, till=asking, public_id=given.purchase) if given.purchase else None
    if basket is not None:
        ledger.demand_standing(session, basket)
    if at is not None:
        ledger.check_time(at)
    view = guesses.coupon(code)
    redemption = rewards.redeem(session, view.code, till=asking, purchase_id=basket.id if basket else None, at=at)
    return {
        "redemption": redemption.public_id,
        "coupon": view.coupon.public_id,
        "title": i18n.pick(view.reward.name),
        "settlement_cents": redemption.settlement_cents,
        "fee_cents": redemption.fee_cents,
        "occurred_at": redemption.occurred_at,
    }


@blueprint.post("/redemptions/<redemption>/reversals")
@idempotent
@blueprint.input(api.ReversalIn)
@blueprint.output(api.ReversalOut, status_code=201)
def reverse(redemption: str, json_data: api.ReversalIn) -> dict[str, Any]:
    """Take a redemption of this outlet back; a second reversal changes nothing and says so."""
    return undo(redemption)


def undo(redemption: str, *, at: datetime | None = None) -> dict[str, Any]:
    """Take a redemption back, now or when the till was offline, and return the answer."""
    if at is not None:
        ledger.check_time(at)
    done = rewards.reverse(web.session(), redemption, till=till(), at=at)
    return {
        "redemption": done.redemption.public_id,
        "coupon": done.coupon.public_id,
        "expires_at": done.coupon.expires_at,
        "repeated": done.repeated,
    }
