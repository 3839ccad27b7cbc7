"""Purchases: what the till path checks and writes, how they are found, and who they belong to."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import new_id
from app.core.db import brand_of
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.core.money import MAX_CENTS
from app.ledger import statements as sql
from app.ledger.models import Purchase, Refund
from app.ledger.rules import Basket, Line, LinePaid, Paid
from app.network.models import Till

__all__ = [
    "Basket", "Line", "LinePaid", "Paid", "balances", "check", "check_time", "demand_standing", "find_purchase",
    "hold_member", "write_purchase",
]  # fmt: skip

AHEAD = timedelta(minutes=5)  # a till's clock may run this far ahead
BACK = timedelta(days=30)  # an offline till may report this late
RECEIPT_SYMBOLS = 40


class ReceiptKnown(Conflict):
    """This till has reported this receipt on this day already."""

    code = "receipt_known"


class PurchaseUnknown(NotFound):
    """No such purchase at this outlet."""

    code = "purchase_unknown"


class PurchaseRefunded(Conflict):
    """All of the purchase was taken back, so nothing can be added to it."""

    code = "purchase_refunded"


class AmountAbsurd(Invalid):
    """The amount is negative or larger than any basket."""

    code = "amount_out_of_range"


class TimeOutOfRange(Invalid):
    """`occurred_at` is more than 5 minutes ahead or 30 days back."""

    code = "occurred_at_out_of_range"


class ReceiptInvalid(Invalid):
    """A receipt has 1 to 40 characters."""

    code = "receipt_invalid"


def check(basket: Basket) -> None:
    """Refuse a basket that cannot be true.

    Raises:
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid: as they say.
    """
    if not 0 <= basket.total_cents <= MAX_CENTS:
        raise AmountAbsurd(_("The amount must be between 0 and %(most)s.", most=format_cents(MAX_CENTS)))
    check_time(basket.occurred_at)
    if not 0 < len(basket.receipt.strip()) <= RECEIPT_SYMBOLS:
        raise ReceiptInvalid(_("A receipt number has 1 to 40 characters."))


def check_time(at: datetime) -> None:
    """Refuse a moment that a till cannot report.

    Raises:
        TimeOutOfRange: it is more than 5 minutes ahead or 30 days back.
    """
    now = clock.now()
    if not now - BACK <= at <= now + AHEAD:
        raise TimeOutOfRange(_("The time of the purchase is too far from now."))


def hold_member(session: Session, member_id: int) -> int:
    """Keep a member from being merged until this unit ends; return who it is by now.

    Raises:
        PurchaseUnknown: never; a merged member is followed to the one it became.
    """
    statement = sql.HOLD_MEMBER[session.connection().dialect.name]
    for _step in range(8):
        values = {"brand_id": brand_of(session), "id": member_id}
        ((state, into),) = statement.run(session, values)
        if state != "merged":
            return member_id
        member_id = into
    raise RuntimeError("a chain of merged members has no end")


def write_purchase(
    session: Session,
    basket: Basket,
    *,
    member_id: int,
    till: Till,
    scan_id: int | None,
    local_date: date,
    paid: Paid | None = None,
) -> tuple[int, str]:
    """Write the purchase and its lines; return its id and public id.

    Args:
        local_date: the day of `occurred_at` in the brand's zone.
        paid: how it was met; all in money where it is not given.

    Raises:
        ReceiptKnown: the same till, day and receipt were reported before under another key.
    """
    public_id = new_id(clock.now())
    paid = paid or Paid(basket.total_cents, lines=tuple(LinePaid(0, 0, line.amount_cents) for line in basket.lines))
    values = {
        "brand_id": brand_of(session),
        "public_id": public_id,
        "till_id": till.id,
        "outlet_id": till.outlet_id,
        "member_id": member_id,
        "scan_id": scan_id,
        "receipt": basket.receipt.strip(),
        "local_date": local_date,
        "occurred_at": basket.occurred_at,
        "recorded_at": clock.now(),
        "total_cents": basket.total_cents,
        "due_cents": paid.due_cents,
        "discount_cents": paid.discount_cents,
        "spent_cents": paid.spent_cents,
        "cashier": basket.cashier,
        "approver": basket.approver,
    }
    found = sql.INSERT_PURCHASE.run(session, values)
    if not found:
        raise ReceiptKnown(_("This receipt has been recorded already."), receipt=basket.receipt)
    purchase_id = int(found[0].id)
    _write_lines(session, purchase_id, basket.lines, paid.lines)
    return purchase_id, public_id


def _write_lines(session: Session, purchase_id: int, lines: tuple[Line, ...], paid: tuple[LinePaid, ...]) -> None:
    rows = [
        {
            "brand_id": brand_of(session), "purchase_id": purchase_id, "number": number, "sku": line.sku,
            "item_group": line.group, "quantity": line.quantity, "unit_price_cents": line.unit_price_cents,
            "vat_rate_bp": line.vat_rate_bp, "discount_cents": part.discount_cents, "spent_cents": part.spent_cents,
            "paid_cents": part.paid_cents,
        }
        for number, (line, part) in enumerate(zip(lines, paid, strict=True), start=1)
    ]  # fmt: skip
    sql.INSERT_LINE.run_each(session, rows)


def find_purchase(
    session: Session, *, till: Till, public_id: str | None = None, receipt: tuple[str, str, date] | None = None
) -> Purchase:
    """Return a purchase of this till's outlet, by public id or by (till's public id, receipt, local date).

    Raises:
        PurchaseUnknown: there is none, or another outlet made it.
    """
    query = select(Purchase).where(Purchase.outlet_id == till.outlet_id)
    if receipt is not None:
        name, number, day = receipt
        query = query.join(Till, Till.id == Purchase.till_id)
        query = query.where(Till.public_id == name, Purchase.receipt == number.strip(), Purchase.local_date == day)
    else:
        query = query.where(Purchase.public_id == public_id)
    purchase = session.scalar(query)
    if purchase is None:
        raise PurchaseUnknown(_("There is no such purchase at this outlet."))
    return purchase


def demand_standing(session: Session, purchase: Purchase) -> None:
    """Refuse a purchase of which nothing is left, and hold it: a refund's foreign key waits for this lock.

    Raises:
        PurchaseRefunded: all of it was taken back.
    """
    session.execute(select(Purchase.id).where(Purchase.id == purchase.id).with_for_update())
    if session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id, Refund.whole)) is not None:
        raise PurchaseRefunded(_("This purchase was taken back."))


def balances(session: Session, member_id: int, *, at: datetime | None = None) -> dict[int, int]:
    """Return a member's balance in each program that has an account, without what is over but has not ended yet.

    What was to be released before it ended has paid a debt first, as it will when it ends.

    Args:
        at: the moment that is asked about; now, where it is not given.
    """
    values = {"brand_id": brand_of(session), "member_id": member_id, "at": at or clock.now()}
    rows = session.connection().execute(sql.BALANCES, values)
    return {
        row.program_id: int(row.balance) - int(row.used) + min(int(row.ripe), max(-int(row.balance), 0)) for row in rows
    }
