"""A basket and how it is met, as plain values. Pure: knows no database."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Line:
    """One line of a basket: `unit_price_cents` is gross, with VAT; sku and group are the till's own names."""

    sku: str = ""
    group: str = ""
    quantity: int = 1
    unit_price_cents: int = 0
    vat_rate_bp: int | None = None

    @property
    def amount_cents(self) -> int:
        """Return the gross of the whole line."""
        return self.quantity * self.unit_price_cents


@dataclass(frozen=True)
class Basket:
    """What a till reports: the gross with VAT in cents, its receipt, and when it happened."""

    total_cents: int
    receipt: str
    occurred_at: datetime
    cashier: str | None = None  # public id of staff
    lines: tuple[Line, ...] = ()
    approver: str | None = None  # public id of the manager who approved it


@dataclass(frozen=True)
class LinePaid:
    """How the gross of one line was met, in cents: by coupons, by bonus and gift cards, and by money."""

    discount_cents: int
    spent_cents: int
    paid_cents: int


@dataclass(frozen=True)
class Paid:
    """How a basket was met, in cents; `due_cents` is what was paid in money, and what earns."""

    due_cents: int
    discount_cents: int = 0
    spent_cents: int = 0
    lines: tuple[LinePaid, ...] = ()


def part_of(cents: int, items: int, gone: int, coming: int) -> int:
    """Return what some items of a line come back for.

    Of 3 items for 10.00, the first is 3.33, the second 3.33, the third 3.34, in whatever steps they come.

    Args:
        cents: of the whole line.
        gone: how many of its items came back before.
        coming: how many come back now.
    """
    return cents * (gone + coming) // items - cents * gone // items
