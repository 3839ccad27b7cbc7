"""What a simulation found: sums of a version, how members fare, and the sales that pay for it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.core.i18n import format_cents, format_number
from app.core.i18n import gettext as _
from app.core.money import half_up
from app.members.models import Member
from app.rewards.models import Reward


@dataclass(frozen=True)
class RuleSum:
    """What one rule gave: how often, and units of the program."""

    name: str
    times: int
    units: int


@dataclass(frozen=True)
class RewardSum:
    """What was given of one reward, in cents; `estimated` where a percentage was taken of the average sale."""

    reward: Reward
    count: int
    face_cents: int
    settlement_cents: int
    fee_cents: int
    estimated: bool


@dataclass(frozen=True)
class Sums:
    """What one version gives over the period. `bonus_cents` is what of its units is money to spend."""

    awards: int
    units: int
    expired: int
    bonus_cents: int
    rules: tuple[RuleSum, ...]
    zeros: tuple[tuple[str, int], ...]  # reason → how many purchases earned nothing, the most frequent first
    rewards: tuple[RewardSum, ...]
    not_replayed: tuple[str, ...]  # rules that wait for something else than a purchase

    @property
    def issued(self) -> int:
        """Return how many coupons and gift cards there are."""
        return sum(line.count for line in self.rewards)

    @property
    def face_cents(self) -> int:
        """Return what all of it is worth to members."""
        return self.bonus_cents + sum(line.face_cents for line in self.rewards)

    @property
    def settlement_cents(self) -> int:
        """Return what outlets are paid for it without their fees."""
        return self.bonus_cents + sum(line.settlement_cents for line in self.rewards)

    @property
    def fee_cents(self) -> int:
        """Return the handling fees of outlets."""
        return sum(line.fee_cents for line in self.rewards)

    @property
    def cost_cents(self) -> int:
        """Return what the brand pays when all of it is used."""
        return self.settlement_cents + self.fee_cents


@dataclass(frozen=True)
class MemberChange:
    """What a member gets under the draft and under the version in force: units, and face value of rewards in cents."""

    member: Member
    units: int
    units_before: int
    face_cents: int
    face_before_cents: int


@dataclass(frozen=True)
class Changes:
    """How members fare: by the face value of their rewards, and where that is equal, by units."""

    more: int
    same: int
    less: int
    largest: tuple[MemberChange, ...]


@dataclass(frozen=True)
class Simulation:
    """The answer. Days are local and both included; `sales_cents` is the gross of what was not taken back."""

    first: date
    last: date
    purchases: int
    members: int
    sales_cents: int
    margin_bp: int
    draft: Sums
    current: Sums | None
    changes: Changes | None

    def cost_bp(self, sums: Sums) -> int:
        """Return a version's cost as a share of sales, in basis points; 0 without sales."""
        return half_up(sums.cost_cents * 10_000, self.sales_cents) if self.sales_cents else 0

    def extra_sales_cents(self, sums: Sums) -> int:
        """Return the sales beyond those of the period whose margin pays for a version's cost."""
        return half_up(sums.cost_cents * 10_000, self.margin_bp)

    def extra_sales_bp(self, sums: Sums) -> int:
        """Return these sales in basis points of the period's sales; 0 without sales."""
        if not self.sales_cents:
            return 0
        return half_up(sums.cost_cents * 100_000_000, self.margin_bp * self.sales_cents)

    def break_even(self, sums: Sums) -> str:
        """Return what must happen for a version to pay for itself, as a sentence in the language of this moment."""
        if not sums.cost_cents:
            return _("It would have cost nothing.")
        values = {
            "cost": format_cents(sums.cost_cents),
            "extra": format_cents(self.extra_sales_cents(sums)),
            "margin": format_number(Decimal(self.margin_bp) / 100),
            "percent": format_number(Decimal(self.extra_sales_bp(sums)) / 100),
        }
        if not self.sales_cents:
            return _("At a margin of %(margin)s %%, %(extra)s of sales pay for its cost of %(cost)s.", **values)
        return _(
            "At a margin of %(margin)s %%, %(extra)s more sales pay for its cost of %(cost)s: %(percent)s %% of the "
            "period’s sales.",
            **values,
        )
