"""How far a member is on the way to the next tier, and what keeps the one that they have.

Source: earning.md, "Programs"; docs/program-rules.md, "Tiers".
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import rules, tiers
from app.cards.programs import ProgramInForce, in_force
from app.cards.rules import Day, Tier
from app.cards.tiers import Held
from app.core import clock
from app.network.service import zone as brand_zone


@dataclass(frozen=True)
class Way:
    """The way to a tier: cents or visits of its period so far, how many it takes, and what comes of it."""

    tier: Tier
    done: int
    whole: int
    ends: datetime  # the first moment at which it is too late
    keeps: datetime  # the first moment at which the tier would be held no more, were it reached now

    @property
    def left(self) -> int:
        """Return what is missing; 0 where the next purchase brings it."""
        return max(self.whole - self.done, 0)


@dataclass(frozen=True)
class Standing:
    """Where a member stands in a standing program.

    `ahead` is the way to the next tier, None at the highest. `keep` is the way to hold the tier on beyond its end;
    where that is None, `anew` is the moment from which purchases count for keeping it, if one comes before it ends.
    """

    program: ProgramInForce
    held: Held | None
    ahead: Way | None
    keep: Way | None
    anew: datetime | None


def standings(session: Session, member_id: int) -> list[Standing]:
    """Return where a member stands now in each standing program, in the brand's order."""
    now, zone = clock.now(), brand_zone(session)
    programs = [program for program in in_force(session, now) if program.kind == "standing"]
    if not programs:
        return []
    local = now.astimezone(zone)
    days = tiers.bought(session, member_id, rules.period_start(local, "year"), rules.period_end(local, "year"))
    held = {one.program.id: one for one in tiers.held(session, member_id, now)}
    return [_standing(program, held.get(program.id), days, local) for program in programs]


def _standing(program: ProgramInForce, held: Held | None, days: list[Day], local: datetime) -> Standing:
    every = program.plan.tiers
    above = every[every.index(held.tier) + 1 :] if held else every
    ahead = _way(above[0], days, local) if above else None
    if held is None or held.until is None:
        return Standing(program, held, ahead, None, None)
    way = _way(held.tier, days, local)
    if way.left and way.keeps > held.until:
        ends = min(way.ends, held.until)
        return Standing(program, held, ahead, Way(way.tier, way.done, way.whole, ends, way.keeps), None)
    anew = way.ends if not way.left and way.ends <= held.until else None
    return Standing(program, held, ahead, None, anew)


def _way(tier: Tier, days: list[Day], local: datetime) -> Way:
    begins, ends = rules.period_start(local, tier.period), rules.period_end(local, tier.period)
    mine = [one for one in days if begins.date() <= one.day < ends.date()]
    done = sum(one.visits if tier.from_cents is None else one.cents for one in mine)
    return Way(tier, done, rules.needed(tier), ends, max(rules.kept_until(tier, local), ends))
