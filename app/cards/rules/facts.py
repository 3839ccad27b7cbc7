"""What a rule may know of a purchase or an event, and what the evaluation of it gives; both can be kept as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Line:
    """A line of the basket. `paid_cents` is its share of the due, for all of its quantity."""

    sku: str
    group: str
    quantity: int
    paid_cents: int


@dataclass(frozen=True)
class Used:
    """How often a rule counted before: for this member, for everybody, and how much it awarded in all."""

    member_day: int = 0
    member_week: int = 0
    member_month: int = 0
    member_ever: int = 0
    everybody: int = 0
    awarded: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known when a rule is asked. Slugs are the brand's, cents are of the due."""

    kind: str  # of the program
    trigger: str
    at: datetime  # aware, in the brand's zone (a ZoneInfo)
    due_cents: int = 0
    lines: tuple[Line, ...] = ()
    outlet: str = ""
    reseller: str = ""
    chain: str = ""
    channel: str = "shop"
    member_kind: str = "person"
    tier: str = ""
    first_purchase: bool = False  # this purchase is the member's first
    birthday_month: bool = False  # `at` lies in the member's month of birth
    period_cents: Mapping[str, int] = field(default_factory=dict)  # month, quarter, year → spent before this
    visited_today: bool = False  # at this outlet, on this local day
    used: Mapping[str, Used] = field(default_factory=dict)  # rule's name → how often
    seed: str = ""  # hexadecimal, stored by the caller; needed by surprises only
    rule: str = ""  # the only rule that is asked, as of a schedule's day; empty asks all that hear the trigger


_AFRESH = ("due_cents", "lines")  # a refund evaluates the old facts with what is left of these


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Return facts as JSON to keep with an award, without the due and the lines.

    Raises:
        ValueError: `at` is not in a named zone, so its local days could not be found again.
    """
    if not isinstance(facts.at.tzinfo, ZoneInfo):
        raise ValueError("facts are kept in the brand's zone")
    kept = {name: value for name, value in vars(facts).items() if name not in _AFRESH}
    return kept | {
        "at": facts.at.isoformat(),
        "zone": facts.at.tzinfo.key,
        "period_cents": dict(facts.period_cents),
        "used": {rule: asdict(used) for rule, used in facts.used.items()},
    }


def facts_from_json(data: Mapping[str, Any], *, due_cents: int, lines: tuple[Line, ...] = ()) -> Facts:
    """Return kept facts with an amount due in cents and lines: those of the purchase, or what a refund left."""
    values = dict(data)
    zone = ZoneInfo(values.pop("zone"))
    # Through UTC: a fixed offset would not know the next clock change, and the hour that comes twice keeps its place.
    at = datetime.fromisoformat(values.pop("at")).astimezone(zone)
    used = {rule: Used(**counts) for rule, counts in values.pop("used").items()}
    return Facts(**values, at=at, used=used, due_cents=due_cents, lines=lines)


@dataclass(frozen=True)
class Part:
    """What one effect of one rule gave: base, multiplier or fixed; `code` and `values` say how it was counted."""

    rule: str
    phase: str
    amount: int
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


def parts_to_json(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return parts as JSON to keep with an award."""
    return [{**vars(part), "values": dict(part.values)} for part in parts]


def parts_from_json(data: list[dict[str, Any]]) -> tuple[Part, ...]:
    """Return kept parts."""
    return tuple(Part(**part) for part in data)


@dataclass(frozen=True)
class Outcome:
    """What a plan gives for some facts: a whole number of the program's unit, and how and why.

    `parts` sum to the amount before the cap. `reason` is a code, empty where nothing was less than expected; `values`
    are for its sentence. `uses` names the rules that counted and carry limits, with what each gave.
    """

    amount: int = 0
    parts: tuple[Part, ...] = ()
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    issues: tuple[str, ...] = ()  # slugs of rewards
    tier: str | None = None
    messages: tuple[str, ...] = ()
    uses: Mapping[str, int] = field(default_factory=dict)
