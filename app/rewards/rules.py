"""What coupons and spends take off a basket, to the cent and to the line. Pure: knows no database.

Order: products, percents, amounts, spends. Within each the order is fixed by the coupons themselves, so that it makes
no difference in which order a till names them. Source: earning.md, "Rewards and coupons"; design.md section 3.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.core.money import share, split
from app.ledger.rules import Line

PRODUCT, PERCENT, AMOUNT = "product", "discount_percent", "discount_cents"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MEASURED = (PERCENT, AMOUNT)  # kinds that settle at what the outlet really gave


class LinesDoNotSum(Invalid):
    """The lines of the basket are not its total."""

    code = "lines_do_not_sum"


class SpendTooLarge(Invalid):
    """More was to be spent than there is to pay."""

    code = "spend_too_large"


@dataclass(frozen=True)
class Use:
    """A coupon on a basket; `key` names it in the answer. Amounts are cents, `percent_bp` basis points."""

    key: str
    kind: str
    face_cents: int = 0
    percent_bp: int = 0
    cap_cents: int | None = None
    skus: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    settlement_cents: int = 0

    @property
    def names_goods(self) -> bool:
        """Tell whether it is for some goods only."""
        return bool(self.skus or self.groups)

    def fits(self, line: Line) -> bool:
        """Tell whether a line is one that it is for; a coupon that names no goods is for all."""
        return not self.names_goods or line.sku in self.skus or line.group in self.groups


@dataclass(frozen=True)
class Settled:
    """How a basket is met, in cents. The three tuples have one number for each line; they are empty without lines."""

    due_cents: int
    discounts: Mapping[str, int]  # by the coupon's key
    settlements: Mapping[str, int]  # by the coupon's key: what the outlet is paid
    discount_cents: int = 0
    spent_cents: int = 0
    line_discounts: tuple[int, ...] = ()
    line_spends: tuple[int, ...] = ()
    paid: tuple[int, ...] = ()
    # By the coupon's key: what each line cost less.
    coupon_lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def settle(total_cents: int, lines: Sequence[Line], coupons: Iterable[Use], spends: Mapping[str, int]) -> Settled:
    """Return what is left to pay when coupons and spends have taken theirs.

    Args:
        total_cents: the gross before coupons and spends.
        lines: none where the till knows the total only.
        coupons: each key once.
        spends: name → cents of 0 or more, from bonus or gift cards.

    Raises:
        LinesDoNotSum: the lines are not the total.
        SpendTooLarge: more would be spent than the coupons leave.
    """
    amounts = [line.amount_cents for line in lines]
    if lines and sum(amounts) != total_cents:
        raise LinesDoNotSum(_("The lines do not sum to the total."), lines_cents=sum(amounts))
    basket = _Basket(lines, amounts if lines else [total_cents])
    discounts = basket.take_coupons(list(coupons))
    settlements = {
        use.key: discounts[use.key] if use.kind in MEASURED else use.settlement_cents for use in basket.coupons
    }
    after_coupons, spent = list(basket.left), sum(spends.values())
    if spent > basket.rest:
        raise SpendTooLarge(_("More would be spent than there is to pay."), due_cents=basket.rest)
    basket.take(spent, after_coupons)
    return Settled(
        due_cents=basket.rest,
        discounts=discounts,
        settlements=settlements,
        discount_cents=total_cents - sum(after_coupons),
        spent_cents=spent,
        line_discounts=tuple(full - left for full, left in zip(amounts, after_coupons, strict=True)) if lines else (),
        line_spends=tuple(full - left for full, left in zip(after_coupons, basket.left, strict=True)) if lines else (),
        paid=tuple(basket.left) if lines else (),
        coupon_lines=basket.taken if lines else dict.fromkeys(basket.taken, ()),
    )


def holds_at(at_local: datetime, weekdays: Sequence[str], start: str, end: str) -> bool:
    """Tell whether a moment lies in some hours of some weekdays; after midnight the day is the evening's.

    Args:
        at_local: in the brand's zone.
        weekdays: `mon` to `sun`; none for every day.
        start, end: `HH:MM`, the end excluded; it may lie after midnight. Both empty for the whole day.
    """
    minute, day = at_local.strftime("%H:%M"), at_local.weekday()
    inside = not start or (start <= minute < end if start < end else minute >= start or minute < end)
    if start > end and minute < end:
        day = (day - 1) % 7
    return inside and (not weekdays or _WEEKDAYS[day] in weekdays)


class _Basket:
    """What is left of each line while coupons take theirs; without lines the total stands as the only one."""

    def __init__(self, lines: Sequence[Line], left: Sequence[int]) -> None:
        self.lines = lines
        self.left = list(left)
        self.units = [line.quantity for line in lines]  # items that no product coupon has taken
        self.coupons: list[Use] = []
        self.taken: dict[str, tuple[int, ...]] = {}  # by the coupon's key: what it took off each line

    @property
    def rest(self) -> int:
        """Return what is left of the whole basket."""
        return sum(self.left)

    def take_coupons(self, coupons: list[Use]) -> dict[str, int]:
        """Let each coupon take its discount, and return it by key."""
        self.coupons = coupons
        found = dict.fromkeys((use.key for use in coupons), 0)
        # Who has the fewest lines to choose from chooses first: a coupon for any coffee leaves the last latte alone.
        products = [use for use in coupons if use.kind == PRODUCT]
        for use in sorted(products, key=lambda use: (sum(self._fitting(use)), use.key)):
            found[use.key] = self._noting(use, self._product)
        percents = [use for use in coupons if use.kind == PERCENT]
        for use in sorted(percents, key=lambda use: (-use.percent_bp, use.key)):
            found[use.key] = self._noting(use, self._percent)
        amounts = [use for use in coupons if use.kind == AMOUNT]
        for use in sorted(amounts, key=lambda use: (-use.face_cents, use.key)):
            found[use.key] = self._noting(use, lambda use: self.take(min(use.face_cents, self.rest), self.left))
        return found

    def _noting(self, use: Use, takes: Callable[[Use], int]) -> int:
        before = list(self.left)
        cents = takes(use)
        self.taken[use.key] = tuple(full - left for full, left in zip(before, self.left, strict=True))
        return cents

    def take(self, cents: int, weights: Sequence[int]) -> int:
        """Take an amount off all lines by share: no line loses more than its weight, so none falls below zero."""
        for place, part in enumerate(split(cents, weights)):
            self.left[place] -= part
        return cents

    def _fitting(self, use: Use) -> list[bool]:
        return [use.fits(line) for line in self.lines]

    def _product(self, use: Use) -> int:
        """Take one item of the dearest line out; a till that names no goods has left the item out already."""
        if not use.names_goods:
            return 0
        open_lines = [place for place, fits in enumerate(self._fitting(use)) if fits and self.units[place] > 0]
        if not open_lines:
            return 0
        dearest = max(open_lines, key=lambda place: (self.lines[place].unit_price_cents, -place))
        self.units[dearest] -= 1
        self.left[dearest] -= self.lines[dearest].unit_price_cents
        return self.lines[dearest].unit_price_cents

    def _percent(self, use: Use) -> int:
        if self.lines:
            weights = [left if fits else 0 for left, fits in zip(self.left, self._fitting(use), strict=True)]
        else:  # which goods are in the total nobody knows: a coupon for some goods takes nothing
            weights = [0] if use.names_goods else self.left
        cents = min(share(sum(weights), use.percent_bp), sum(weights))
        return self.take(cents if use.cap_cents is None else min(cents, use.cap_cents), list(weights))
