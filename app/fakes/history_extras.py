"""What some of the demo's guests do besides: buy ten coffees at once, take a bun at the member price. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from zoneinfo import ZoneInfo

from app.fakes.history_steps import Buy, Step
from app.fakes.people import Person

CARD = "ten-coffees"  # the program and the offer of demo.toml
OFFER = "morning-bun"
USES = 10
BUN_CENTS, BUN_NORMAL_CENTS = 250, 350
COFFEE_AND_BUN_CENTS = 770
ONLINE = "verkko"


@dataclass(frozen=True)
class SellCard(Step):
    """A person buys a serial card at a till."""

    person: Person
    outlet: str
    till: str
    receipt: str


@dataclass(frozen=True)
class UseCard(Step):
    """A person has a coffee from the serial card."""

    person: Person
    outlet: str
    till: str


@dataclass(frozen=True)
class MorningBuy(Buy):
    """A coffee, and a bun at the member price."""


def extras(steps: Sequence[Step], *, seed: int, zone: ZoneInfo) -> Iterator[Step]:
    """Return the steps with what some guests do besides; the same seed gives the same."""
    left: dict[int, int] = {}  # person → coffees that are paid for
    for step in steps:
        if not isinstance(step, Buy) or step.outlet == ONLINE:
            yield step
            continue
        number = step.person.number
        # Each person's own chance, so that a change of the plan moves nobody else's coffee.
        rng = random.Random(f"{seed} {number} {step.receipt}")  # noqa: S311 - chance that repeats is what is wanted
        yield _at_member_price(step, zone)
        if left.get(number):
            if rng.random() < 0.6:
                left[number] -= 1
                yield UseCard(step.at + timedelta(seconds=40), step.person, step.outlet, step.till)
        elif number % 6 == 0 and rng.random() < 0.25:
            left[number] = USES
            yield SellCard(step.at + timedelta(seconds=40), step.person, step.outlet, step.till, f"{step.receipt}-10")


def _at_member_price(bought: Buy, zone: ZoneInfo) -> Buy:
    """Return a coffee and bun of a weekday's morning as members pay for it."""
    at = bought.at.astimezone(zone)
    if bought.cents != COFFEE_AND_BUN_CENTS or at.weekday() > 4 or not 7 <= at.hour < 10:
        return bought
    values = {field.name: getattr(bought, field.name) for field in fields(bought)}
    return MorningBuy(**{**values, "cents": bought.cents - (BUN_NORMAL_CENTS - BUN_CENTS)})
