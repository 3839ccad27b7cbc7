"""The `[[programs]]` of a brand file. A program that has earned is changed by a new version, never in place."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, ValidationError
from sqlalchemy import select

from app.cards import rules
from app.cards.models import Award, Program, ProgramVersion
from app.cards.programs import in_force
from app.cards.rules import Plan
from app.core import clock
from app.core.setup import Entry, Item, Section, Setup, entry_faults
from app.core.toml import Place
from app.network.models import CostCentre
from app.network.setup import Slug, Texts
from app.rewards.models import Reward
from app.rewards.offer_setup import OfferIn

# The ledger and the rules know every kind of `rules.KINDS`; the pages draw stamp cards. A kind is added with its pages.
Kind = Literal["stamp_card"]
FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # a program without rules at a moment would lose stamps


class ProgramIn(Entry):
    """A program: its names, how it earns, and what a full card gives. `rule` is a plan or its short form."""

    slug: Slug
    kind: Kind = "stamp_card"
    name: Texts
    unit: dict[Literal["fi", "sv", "en"], list[str]]  # singular and plural
    position: int = 0
    size: int | None = Field(None, ge=1, le=100)
    rule: dict[str, Any]
    reward: str | None = None
    cost_centre: str | None = None
    campaign: str | None = Field(None, min_length=1, max_length=40)


SECTIONS = (
    Section("programs", ProgramIn, refers={"reward": ("rewards", Reward), "cost_centre": ("cost_centres", CostCentre)}),
)


def apply(setup: Setup) -> None:
    """Save the programs and, where the rules differ from the newest version, a new one."""
    named: dict[Place, frozenset[str]] = {}
    for item in setup.items("programs", ProgramIn):
        value = item.value
        if any(len(forms) != 2 for forms in value.unit.values()):
            setup.fault((*item.place, "unit"), "each language needs two forms: singular and plural")
            continue
        plan = _plan(setup, item)
        if plan is None or not _named(setup, item, plan):
            continue
        values = item.given("kind", "name", "unit", "position", "campaign")
        if value.cost_centre is not None:
            centre = setup.refer("cost_centres", CostCentre, value.cost_centre, (*item.place, "cost_centre"))
            if centre is None:
                continue
            values["cost_centre_id"] = centre.id
        program = setup.save(Program, f"program {value.slug}", {"slug": value.slug}, values)
        _version(setup, program, _full_card(setup, item), plan)
        named[item.place] = rules.tiers_of(plan)
    _tiers(setup, named)


def _tiers(setup: Setup, named: dict[Place, frozenset[str]]) -> None:
    """Tell which tiers rules and offers name that no standing program has, of this file or from before."""
    places = {(*place, "rule"): slugs for place, slugs in named.items()}
    places |= {(*item.place, "tiers"): frozenset(item.value.tiers) for item in setup.items("offers", OfferIn)}
    if not any(places.values()):
        return
    standing = (program for program in in_force(setup.session, clock.now()) if program.kind == "standing")
    known = {tier.slug for program in standing for tier in program.plan.tiers}
    for place, slugs in places.items():
        for slug in sorted(slugs - known):
            setup.fault(place, f"no standing program has the tier {slug!r}")


def _plan(setup: Setup, item: Item[ProgramIn]) -> Plan | None:
    """Return the plan of an entry, or tell its faults, each with its line."""
    try:
        return rules.parse(item.value.kind, item.value.rule)
    except ValidationError as error:
        place = (*item.place, "rule")
        for line in error.errors():
            line["loc"] = line["loc"][1:] if line["loc"][:1] == ("plan",) else line["loc"]
        setup.faults += entry_faults(setup.document, place, Plan, error)
        return None


def _named(setup: Setup, item: Item[ProgramIn], plan: Plan) -> bool:
    """Tell whether an entry has what its kind needs, and every reward that it names is there; tells faults."""
    before, value = len(setup.faults), item.value
    if (value.kind == "stamp_card") != (value.size is not None):
        wrong = "a stamp card needs a size" if value.size is None else f"a {value.kind} has no size"
        setup.fault((*item.place, "size"), wrong)
    if (value.kind == "stamp_card") != (value.reward is not None):
        wrong = "a stamp card needs a reward" if value.reward is None else f"a {value.kind} names rewards in its rule"
        setup.fault((*item.place, "reward"), wrong)
    for slug in sorted({*([value.reward] if value.reward else []), *rules.rewards_of(plan)}):
        setup.refer("rewards", Reward, slug, (*item.place, "reward" if slug == value.reward else "rule"))
    return len(setup.faults) == before


def _full_card(setup: Setup, item: Item[ProgramIn]) -> dict[str, Any]:
    if item.value.reward is None:
        return {"size": None, "reward_id": None}
    reward = setup.session.scalars(select(Reward).where(Reward.slug == item.value.reward)).one()
    return {"size": item.value.size, "reward_id": reward.id}


def _version(setup: Setup, program: Program, card: dict[str, Any], plan: Plan) -> None:
    values = {**card, "rule": plan.to_json()}
    newest = setup.session.scalar(
        select(ProgramVersion)
        .where(ProgramVersion.program_id == program.id)
        .order_by(ProgramVersion.number.desc())
        .limit(1)
    )
    if newest is None:
        setup.session.add(ProgramVersion(program_id=program.id, number=1, valid_from=FIRST, **values))
        setup.session.flush()
        return
    same_card = all(getattr(newest, key) == value for key, value in card.items())
    if same_card and rules.parse(program.kind, newest.rule) == plan:
        return
    earned = setup.session.scalar(select(Award.id).where(Award.version_id == newest.id).limit(1))
    if earned is None:
        setup.update(newest, f"program {program.slug} version {newest.number}", values)
        return
    number = newest.number + 1
    setup.session.add(ProgramVersion(program_id=program.id, number=number, valid_from=clock.now(), **values))
    setup.session.flush()
    setup.changed("+", f"program {program.slug}", f"version {number}")
