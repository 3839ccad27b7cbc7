"""Purchases and accounts: what the till path writes, and how an account is locked and moved."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

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
from app.ledger.models import Account, Purchase, Refund
from app.network.models import Brand, Till

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
    """The purchase was taken back, so nothing can be added to it."""

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


@dataclass(frozen=True)
class Basket:
    """What a till reports: the gross with VAT in cents, its receipt, and when it happened."""

    total_cents: int
    receipt: str
    occurred_at: datetime
    cashier: str | None = None  # public id of staff


@dataclass
class OpenAccount:
    """A locked account; `post` moves it and writes why."""

    session: Session
    id: int
    program_id: int
    balance: int
    context: dict[str, Any] = field(default_factory=dict)

    def post(self, kind: str, amount: int, **why: Any) -> int:
        """Write one entry and the new balance; return the entry's id.

        Args:
            amount: signed whole units.
            why: version_id, reason, source_kind, source_id, reverses_id as they apply.
        """
        self.balance += amount
        empty = dict.fromkeys(
            (
                "version_id",
                "source_kind",
                "source_id",
                "reverses_id",
                "purchase_id",
                "refund_id",
                "outlet_id",
                "till_id",
            )
        )
        values = {
            **empty,
            "reason": "",
            **self.context,
            **why,
            "account_id": self.id,
            "kind": kind,
            "amount": amount,
            "balance": self.balance,
        }
        connection = self.session.connection()
        entry_id: int = connection.execute(sql.INSERT_ENTRY, values).scalar_one()
        connection.execute(
            sql.SET_BALANCE, {"brand_id": self.context["brand_id"], "id": self.id, "balance": self.balance}
        )
        return entry_id


def check(basket: Basket) -> None:
    """Refuse a basket that cannot be true.

    Raises:
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid: as they say.
    """
    if not 0 <= basket.total_cents <= MAX_CENTS:
        raise AmountAbsurd(_("The amount must be between 0 and %(most)s.", most=format_cents(MAX_CENTS)))
    now = clock.now()
    if not now - BACK <= basket.occurred_at <= now + AHEAD:
        raise TimeOutOfRange(_("The time of the purchase is too far from now."))
    if not 0 < len(basket.receipt.strip()) <= RECEIPT_SYMBOLS:
        raise ReceiptInvalid(_("A receipt number has 1 to 40 characters."))


def hold_member(session: Session, member_id: int) -> int:
    """Keep a member from being merged until this unit ends; return who it is by now.

    Raises:
        PurchaseUnknown: never; a merged member is followed to the one it became.
    """
    statement = sql.HOLD_MEMBER[session.connection().dialect.name]
    for _step in range(8):
        values = {"brand_id": brand_of(session), "id": member_id}
        state, into = session.connection().execute(statement, values).one()
        if state != "merged":
            return member_id
        member_id = into
    raise RuntimeError("a chain of merged members has no end")


def open_accounts(
    session: Session, *, member_id: int, program_ids: list[int], context: dict[str, Any]
) -> dict[int, OpenAccount]:
    """Make what is missing and lock all of a member's accounts in id order; return them by program.

    Args:
        context: fields that every entry of this change shares: occurred_at, purchase_id, till_id and so on.
    """
    connection = session.connection()
    brand_id = brand_of(session)
    keys = {"brand_id": brand_id, "member_id": member_id}
    found = _locked(session, keys)
    lacking = [program_id for program_id in program_ids if program_id not in found]
    if lacking:
        connection.execute(sql.OPEN_ACCOUNT, [{**keys, "program_id": program_id} for program_id in lacking])
        found = _locked(session, keys)
    shared = {"brand_id": brand_id, "recorded_at": clock.now(), **context}
    return {
        program_id: OpenAccount(session, row_id, program_id, balance, shared)
        for program_id, (row_id, balance) in found.items()
    }


def _locked(session: Session, keys: dict[str, int]) -> dict[int, tuple[int, int]]:
    connection = session.connection()
    rows = connection.execute(sql.LOCK_ACCOUNTS[connection.dialect.name], keys)
    return {program_id: (row_id, balance) for row_id, program_id, balance in rows}


def write_purchase(
    session: Session, basket: Basket, *, member_id: int, till: Till, scan_id: int | None
) -> tuple[int, str]:
    """Write the purchase; return its id and public id.

    Raises:
        ReceiptKnown: the same till, day and receipt were reported before under another key.
    """
    brand = session.get_one(Brand, brand_of(session))
    public_id = new_id(clock.now())
    values = {
        "brand_id": brand.id,
        "public_id": public_id,
        "till_id": till.id,
        "outlet_id": till.outlet_id,
        "member_id": member_id,
        "scan_id": scan_id,
        "receipt": basket.receipt.strip(),
        "local_date": clock.local_date(basket.occurred_at, brand.zone),
        "occurred_at": basket.occurred_at,
        "recorded_at": clock.now(),
        "total_cents": basket.total_cents,
        "due_cents": basket.total_cents,
        "cashier": basket.cashier,
    }
    purchase_id = session.connection().execute(sql.INSERT_PURCHASE, values).scalar()
    if purchase_id is None:
        raise ReceiptKnown(_("This receipt has been recorded already."), receipt=basket.receipt)
    return int(purchase_id), public_id


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
    """Refuse a purchase that was taken back, and hold it: a refund's foreign key waits for this lock.

    Raises:
        PurchaseRefunded: it was refunded.
    """
    session.execute(select(Purchase.id).where(Purchase.id == purchase.id).with_for_update())
    if session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id)) is not None:
        raise PurchaseRefunded(_("This purchase was taken back."))


def balances(session: Session, member_id: int) -> dict[int, int]:
    """Return a member's balance in each program that has an account."""
    rows = session.execute(select(Account.program_id, Account.balance).where(Account.member_id == member_id))
    return {row.program_id: row.balance for row in rows}
