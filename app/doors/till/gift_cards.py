"""A gift card is sold at the till page to who holds its code, which the page shows for the receipt."""

from flask import Response, request

from app.core import clock, i18n, web
from app.core.crypto import new_id
from app.core.errors import LeimaError
from app.doors.idempotency import once
from app.doors.till import pages, paying, sales, shape
from app.doors.till.door import attempt, blueprint, go, page, till
from app.rewards import selling

FIELDS = ("reward", "amount", "receipt")


@blueprint.get("/gift-cards")
def gift_cards() -> Response:
    """Show the form."""
    return _page(dict.fromkeys(FIELDS, ""))


def _page(form: dict[str, str], status: int = 200, *, error: str = "") -> Response:
    offered = [
        {
            "slug": reward.slug, "name": i18n.pick(reward.name), "least": i18n.format_cents(reward.face_cents),
            "most": i18n.format_cents(reward.sold_up_to_cents or 0),
        }
        for reward in selling.sellable(web.session(), till(), clock.now())
    ]  # fmt: skip
    return page("gift_cards", status, key=new_id(clock.now()), offered=offered, form=form, error=error)


@blueprint.post("/gift-cards")
def sell_gift_card() -> Response:
    """Sell one, exactly once; a second click is led to the same result."""
    return attempt(lambda: once(_sell), _refused)


def _sell() -> Response:
    form = request.form
    sold = selling.sell(
        web.session(), form.get("reward", ""), cents=paying.cents(form.get("amount", "")), till=till(),
        receipt=sales.receipt(form.get("receipt", "")), at=clock.now(),
    )  # fmt: skip
    return go(f"/till?done={sold.card.public_id}")


def _refused(error: LeimaError) -> Response:
    kept = {name: request.form.get(name, "")[:40] for name in FIELDS}
    return _page(kept, pages.status_of(error), error=shape.why(error))
