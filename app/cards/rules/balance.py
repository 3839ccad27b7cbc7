"""What follows from a balance or the days of use: filled cards, thresholds, credit of a serial card."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.cards.rules.model import Plan
from app.core.money import half_up

MOST_REWARDS = 300  # of one event, as decision 0005 has it: a slip of the finger must not issue coupons by the thousand


def fills(balance: int, size: int) -> int:
    """Return how many times a balance fills a card; 25 on a card of 10 fill it twice. A debt fills nothing.

    What lies beyond `MOST_REWARDS` cards stays in the balance for the next event.
    """
    return min(max(balance, 0) // size, MOST_REWARDS)


@dataclass(frozen=True)
class Reached:
    """A threshold that a balance reached; `round` counts how often the count had begun anew in this rise."""

    at: int
    reward: str
    round: int


@dataclass(frozen=True)
class Crossed:
    """What a rise of a balance reaches, and what is taken off where the count begins anew."""

    reached: tuple[Reached, ...]
    taken: int  # whole rounds of the highest threshold: to be spent from the balance
    balance: int  # afterwards

    @property
    def rewards(self) -> tuple[str, ...]:
        """Return the short names of the rewards, in their order."""
        return tuple(threshold.reward for threshold in self.reached)


def crossed(plan: Plan, before: int, after: int) -> Crossed:
    """Return which thresholds a balance crosses on its way up; one that is reached exactly counts.

    A plan that repeats takes its highest threshold off and goes on with the remainder; what lies beyond
    `MOST_REWARDS` stays in the balance for the next event. A balance that falls crosses nothing.
    """
    reached: list[Reached] = []
    top = plan.thresholds[-1].at if plan.repeats else None
    taken = number = 0
    while len(reached) < MOST_REWARDS:
        found = [threshold for threshold in plan.thresholds if before < threshold.at <= after - taken]
        reached += [Reached(threshold.at, threshold.reward, number) for threshold in found]
        if top is None or after - taken < top:
            break
        taken, number, before = taken + top, number + 1, 0
    return Crossed(tuple(reached), taken, after - taken)


def passed(at: int, before: int, after: int, *, top: int = 0, number: int = 0) -> int | None:
    """Return in which round of the count a rise reaches a balance, the last one where there are several; None in none.

    Args:
        at: the balance that is asked about; one that is reached exactly counts.
        after: before rounds are taken off.
        top: the balance at which the count begins anew; 0 where it never does.
        number: how often it had begun anew before.
    """
    if before >= after or after < at:
        return None
    more = (after - at) // top if top and at <= top else 0
    return number + more if before < at + more * top else None


def use_share(price_cents: int, uses: int, *, used: int, settled_cents: int) -> int:
    """Return the share of a serial card's price that a use settles: the shares of all uses sum to the price.

    Args:
        uses: that were bought for the price.
        used: how many are used with this one.
        settled_cents: what the others of them settled; those that were taken back are not among them.
    """
    return max(half_up(price_cents * used, uses) - settled_cents, 0)


def serial_credit(plan: Plan, used_on: Sequence[date]) -> int:
    """Return the cents that a serial card gives back for the speed of its use; 0 while uses are left.

    Args:
        plan: of a serial card.
        used_on: the brand's local day of each use. First and last day count both: the 1st to the 10th is 10 days.

    Source: earning.md, "Programs".
    """
    if not plan.uses or len(used_on) < plan.uses:
        return 0
    days = (max(used_on) - min(used_on)).days + 1
    return max((step.credit_cents for step in plan.speed_steps if days <= step.within_days), default=0)
