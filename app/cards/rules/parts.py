"""The pieces that plans are written from: whole numbers, slugs, conditions, effects and limits, as validated JSON."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Whole = Annotated[int, Field(strict=True)]  # `"7"`, 7.0 and true are no whole numbers
Cents = Annotated[Whole, Field(ge=0, le=100_000_000)]
Count = Annotated[Whole, Field(ge=1, le=1_000_000)]
Points = Annotated[Whole, Field(ge=0, le=10_000)]  # basis points, 100 percent at most
Month = Annotated[Whole, Field(ge=1, le=12)]
Period = Literal["month", "quarter", "year"]
Texts = dict[Literal["fi", "sv", "en"], Annotated[str, StringConstraints(min_length=1, max_length=80)]]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Slugs = Annotated[tuple[Slug, ...], Field(min_length=1)]  # an empty list would mean nobody, or everybody
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Frozen(BaseModel):
    """A piece of a plan: never changed in place, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Hours(Frozen):
    """Hours of the day in the brand's zone, `from` included and `to` not; `from` after `to` crosses midnight."""

    start: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(alias="to", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")

    @model_validator(mode="after")
    def _some(self) -> "Hours":
        if self.start == self.end:
            raise ValueError("hours from and to the same minute: leave them out for the whole day")
        return self


class Lines(Frozen):
    """Lines of the basket that have one of the skus or one of the groups; without both, every line."""

    skus: Annotated[tuple[Sku, ...], Field(min_length=1)] | None = None
    groups: Annotated[tuple[Sku, ...], Field(min_length=1)] | None = None
    min_quantity: Count = 1
    min_cents: Cents = 0  # of what was paid for them


class Conditions(Frozen):
    """When a rule counts; all must hold. Amounts are cents of the due, dates and hours are the brand's local ones."""

    min_cents: Cents | None = None
    max_cents: Cents | None = None
    lines: Lines | None = None
    outlets: Slugs | None = None
    resellers: Slugs | None = None
    chains: Slugs | None = None
    # With hours that cross midnight, weekday and dates are those of the evening: "fri 22:00-02:00" ends on Saturday.
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = None
    hours: Hours | None = None
    member_kinds: Annotated[tuple[Literal["person", "company"], ...], Field(min_length=1)] | None = None
    tiers: Slugs | None = None
    channels: Annotated[tuple[Literal["shop", "web", "kiosk"], ...], Field(min_length=1)] | None = None
    birthday_month: Literal[True] | None = None  # only in the month of the member's birth
    first_day: date | None = Field(None, alias="from")
    last_day: date | None = Field(None, alias="until")  # included

    @model_validator(mode="after")
    def _possible(self) -> "Conditions":
        if self.min_cents is not None and self.max_cents is not None and self.min_cents > self.max_cents:
            raise ValueError("min_cents is above max_cents: no purchase could earn")
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise ValueError("from is after until: there is no such day")
        return self


class Award(Frozen):
    """A fixed number: it comes last and is not multiplied, or it is base, as one stamp for each purchase."""

    do: Literal["award"]
    n: Count
    base: bool = False


class PerAmount(Frozen):
    """`n` for each full `cents` of the due, or of what was paid for the matching lines."""

    do: Literal["per_amount"]
    cents: Annotated[Cents, Field(ge=1)]
    n: Count = 1
    of: Literal["due", "lines"] = "due"


class PerItem(Frozen):
    """`n` for each item of the matching lines."""

    do: Literal["per_item"]
    n: Count = 1


class Step(Frozen):
    """A rate from a spend in the period on."""

    from_cents: Cents
    bp: Points


class Ladder(Frozen):
    """Rates by what the member spent in the period so far, before this purchase."""

    period: Period
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _rises(self) -> "Ladder":
        starts = [step.from_cents for step in self.steps]
        if starts != sorted(set(starts)):
            raise ValueError("the steps of a ladder must rise")
        return self


class Percent(Frozen):
    """A share in basis points of the due or of the matching lines, rounded half up to the cent."""

    do: Literal["percent"]
    bp: Points
    of: Literal["due", "lines"] = "due"
    ladder: Ladder | None = None  # `bp` holds below its first step


class Multiply(Frozen):
    """Multiplies the base: 20,000 basis points double it."""

    do: Literal["multiply"]
    times_bp: Annotated[Whole, Field(gt=10_000, le=1_000_000)]


class Issue(Frozen):
    """Issues a reward."""

    do: Literal["issue"]
    reward: Slug


class SetTier(Frozen):
    """Puts the member into a tier."""

    do: Literal["set_tier"]
    tier: Slug


class Message(Frozen):
    """Sends a message."""

    do: Literal["message"]
    key: Slug


class Pick(Frozen):
    """One possibility of a surprise: a number, a reward, or nothing."""

    weight: Annotated[Count, Field(le=10_000)]
    n: Count | None = None
    reward: Slug | None = None

    @model_validator(mode="after")
    def _one(self) -> "Pick":
        if self.n is not None and self.reward is not None:
            raise ValueError("a surprise gives a number or a reward, not both")
        return self


class Surprise(Frozen):
    """Picks from a weighted list by the purchase's seed; not multiplied."""

    do: Literal["surprise"]
    picks: Annotated[tuple[Pick, ...], Field(min_length=1, max_length=50)]


Effect = Annotated[
    Award | PerAmount | PerItem | Percent | Multiply | Issue | SetTier | Message | Surprise, Field(discriminator="do")
]


class Schedule(Frozen):
    """When a rule gives by itself: on a local day, and every week, month or year after it.

    The 31st is the last day of a shorter month, as 29 February is in a year without it.
    """

    day: date
    every: Literal["once", "week", "month", "year"] = "once"
    hour: Annotated[Whole, Field(ge=0, le=23)] = 0  # of the day, by the brand's clocks


def phases(effects: Sequence[Effect]) -> set[str]:
    """Return when effects are counted: as `base`, as its `multiplier`, as `fixed` awards, or never."""
    found = {"multiplier" for effect in effects if isinstance(effect, Multiply)}
    for effect in effects:
        if isinstance(effect, PerAmount | PerItem | Percent | Award | Surprise):
            fixed = isinstance(effect, Surprise) or (isinstance(effect, Award) and not effect.base)
            found.add("fixed" if fixed else "base")
    return found


class MemberLimit(Frozen):
    """How often a rule counts for one member: in a local day, week (from Monday), month, or ever."""

    day: Count | None = None
    week: Count | None = None
    month: Count | None = None
    ever: Count | None = None


class Limit(Frozen):
    """How often a rule counts: for each member, for everybody together, and how much it may give in all."""

    member: MemberLimit | None = None
    first_n: Count | None = None
    budget: Annotated[Whole, Field(ge=1, le=1_000_000_000)] | None = None  # in the program's unit, cents for money
