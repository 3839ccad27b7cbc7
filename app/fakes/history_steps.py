"""What may happen in the demo's past."""

from dataclasses import dataclass
from datetime import datetime

from app.fakes.people import Person


@dataclass(frozen=True)
class Step:
    """Something that happened at a moment."""

    at: datetime


@dataclass(frozen=True)
class Join(Step):
    """A person joins; `outlet` is where the poster or till stood."""

    person: Person
    source: str
    outlet: str | None


@dataclass(frozen=True)
class Confirm(Step):
    """A person types the code that the message brought."""

    person: Person


@dataclass(frozen=True)
class Buy(Step):
    """A basket; `redeems` says that a coupon is used, if there is one."""

    person: Person
    outlet: str
    till: str
    cents: int
    receipt: str
    redeems: bool


@dataclass(frozen=True)
class TakeBack(Step):
    """The basket is refunded."""

    purchase: Buy


@dataclass(frozen=True)
class Withdraw(Step):
    """A person takes a consent back."""

    person: Person
    channel: str


@dataclass(frozen=True)
class Night(Step):
    """Coupons past their day expire."""
