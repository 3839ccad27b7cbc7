"""What a purchase earns in a stamp program: pure, so that a quote and a booking cannot differ."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_STAMPS = 300  # one purchase: a slip of the finger must not issue coupons by the thousand while a till waits


class StampRule(BaseModel):
    """When stamps are given.

    `per = "euros"`: `award` stamps for each full `cents`. `per = "purchase"`: `award` for each purchase of `cents` or
    more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    per: Literal["euros", "purchase"]
    cents: int = Field(0, ge=0, le=100_000_000)
    award: int = Field(1, ge=1, le=100)

    @model_validator(mode="after")
    def _step(self) -> "StampRule":
        if self.per == "euros" and self.cents == 0:
            raise ValueError("a stamp for each full 0 euros cannot be counted")
        return self


@dataclass(frozen=True)
class Outcome:
    """What a rule gives: a whole number of stamps, the rule's name, and a reason code where it is nothing or capped."""

    amount: int
    rule: str
    reason: str = ""


def evaluate(rule: dict[str, Any] | StampRule, *, due_cents: int) -> Outcome:
    """Return what an amount due earns. Source: earning.md, "Programs"."""
    known = rule if isinstance(rule, StampRule) else StampRule.model_validate(rule)
    name = f"per_{known.per}"
    if due_cents == 0:
        return Outcome(0, name, "nothing_paid")
    if known.per == "purchase":
        return Outcome(known.award, name) if due_cents >= known.cents else Outcome(0, name, "below_minimum")
    steps = due_cents // known.cents
    if steps * known.award > MAX_STAMPS:
        return Outcome(MAX_STAMPS, name, "capped")
    return Outcome(steps * known.award, name, "" if steps else "below_one_step")


def fills(balance: int, size: int) -> int:
    """Return how many times a balance fills a card; 25 on a card of 10 fill it twice. A debt fills nothing."""
    return max(balance, 0) // size


def missing(rule: dict[str, Any], *, due_cents: int) -> int:
    """Return the cents that were missing for the first award; 0 where it was earned."""
    known = StampRule.model_validate(rule)
    return max(known.cents - due_cents, 0)
