"""Which goods of a purchase come back, what is paid back for them, and what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.rules import Line
from app.core.errors import Conflict, Invalid
from app.core.i18n import gettext as _
from app.ledger.models import Purchase, PurchaseLine, Refund, RefundLine
from app.ledger.rules import part_of


class NotThatMuchLeft(Conflict):
    """More of a line was to come back than was bought and has not come back yet; `line` and `left` say which."""

    code = "not_that_much_left"


class LineUnknown(Invalid):
    """The purchase has no line of this number; one that was recorded without lines comes back whole only."""

    code = "line_unknown"


@dataclass(frozen=True)
class ReturnedLine:
    """Items of a line that come back, with their share of its amounts in cents."""

    line_id: int
    quantity: int
    discount_cents: int
    spent_cents: int
    paid_cents: int
    number: int
    bought: int  # items of the line
    gone: int  # items that had come back before

    @property
    def amount_cents(self) -> int:
        """Return the gross of the items."""
        return self.discount_cents + self.spent_cents + self.paid_cents


@dataclass(frozen=True)
class Returned:
    """What one refund takes back. `whole` when nothing of the purchase is left afterwards."""

    whole: bool
    amount_cents: int
    paid_cents: int
    spent_cents: int
    lines: tuple[ReturnedLine, ...]
    due_left_cents: int
    lines_left: tuple[Line, ...]


def returned(session: Session, purchase: Purchase, wanted: Mapping[int, int] | None) -> Returned:
    """Work out a refund of what is left of a purchase, or of some of its lines.

    Items of one line come back for their share of it: of 3 items for 10.00, the first is 3.33, the second 3.33, the
    third 3.34, in whatever steps they come.

    Args:
        wanted: line number → how many items; None for all that is left.

    Raises:
        LineUnknown, NotThatMuchLeft: there are no such items.
    """
    lines = session.scalars(
        select(PurchaseLine).where(PurchaseLine.purchase_id == purchase.id).order_by(PurchaseLine.number)
    ).all()
    gone = _gone(session, lines)
    if wanted is None:
        wanted = {line.number: line.quantity - gone[line.id] for line in lines}
    unknown = set(wanted) - {line.number for line in lines}
    if unknown:
        raise LineUnknown(_("This purchase has no such line."), line=min(unknown))
    back = tuple(_part(line, gone[line.id], wanted[line.number]) for line in lines if wanted.get(line.number))
    left = tuple(_left(line, gone[line.id] + wanted.get(line.number, 0)) for line in lines)
    whole = not any(line.quantity for line in left)
    paid_before = select(func.sum(Refund.paid_cents)).where(Refund.purchase_id == purchase.id)
    paid, amount = sum(line.paid_cents for line in back), sum(line.amount_cents for line in back)
    spent = sum(line.spent_cents for line in back)
    if not lines:
        paid, amount, spent = purchase.due_cents, purchase.total_cents, purchase.spent_cents
    due_left = purchase.due_cents - int(session.scalar(paid_before) or 0) - paid
    return Returned(whole, amount, paid, spent, back, due_left, tuple(line for line in left if line.quantity))


def spent_before(session: Session, purchase: Purchase) -> int:
    """Return the cents of bonus and gift cards that earlier refunds gave back."""
    given = select(func.sum(RefundLine.spent_cents)).join(Refund, Refund.id == RefundLine.refund_id)
    return int(session.scalar(given.where(Refund.purchase_id == purchase.id)) or 0)


def _gone(session: Session, lines: Sequence[PurchaseLine]) -> dict[int, int]:
    """Return how many items of each line came back already."""
    ids = [line.id for line in lines]
    if not ids:
        return {}
    counted = (
        select(RefundLine.line_id, func.sum(RefundLine.quantity))
        .where(RefundLine.line_id.in_(ids))
        .group_by(RefundLine.line_id)
    )
    return dict.fromkeys(ids, 0) | {line_id: int(count) for line_id, count in session.execute(counted)}


def _part(line: PurchaseLine, gone: int, quantity: int) -> ReturnedLine:
    if quantity > line.quantity - gone:
        raise NotThatMuchLeft(
            _("Not that many of these are left to take back."), line=line.number, left=line.quantity - gone
        )

    amounts = (line.discount_cents, line.spent_cents, line.paid_cents)
    discount, spent, paid = (part_of(cents, line.quantity, gone, quantity) for cents in amounts)
    return ReturnedLine(line.id, quantity, discount, spent, paid, line.number, line.quantity, gone)


def _left(line: PurchaseLine, gone: int) -> Line:
    paid = line.paid_cents - line.paid_cents * gone // line.quantity
    return Line(line.sku, line.item_group, line.quantity - gone, paid)
