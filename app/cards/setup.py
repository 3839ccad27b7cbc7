"""The `[[programs]]` of a brand file. A program that has earned is changed by a new version, never in place."""

from typing import Any, Literal

from pydantic import Field, ValidationError
from sqlalchemy import select

from app.cards import heard, rules, versions
from app.cards.limit_settings import LimitsIn, save
from app.cards.models import Program
from app.cards.programs import in_force
from app.cards.rules import Plan
from app.cards.rules.model import Kind
from app.cards.versions import Content
from app.core import clock
from app.core.setup import Entry, Item, Section, Setup, entry_faults
from app.core.toml import Place
from app.network.cost_centres import cost_centre
from app.network.models import CostCentre
from app.network.setup import Slug, Texts
from app.rewards.models import Reward
from app.rewards.offer_setup import OfferIn


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
    Section("limits", LimitsIn, many=False),
)


def apply(setup: Setup) -> None:
    """Save the limits, the programs and, where the rules differ from the newest version, a new one."""
    save(setup)
    named: dict[Place, frozenset[str]] = {}
    for item in setup.items("programs", ProgramIn):
        value = item.value
        if any(len(forms) != 2 for forms in value.unit.values()):
            setup.fault((*item.place, "unit"), "each language needs two forms: singular and plural")
            continue
        plan = _plan(setup, item) if _keeps_kind(setup, item) else None
        if plan is None or not _named(setup, item, plan):
            continue
        values = item.given("kind", "name", "unit", "position", "campaign")
        borne_by = cost_centre(setup, item)
        if borne_by is None:
            continue
        program = setup.save(Program, f"program {value.slug}", {"slug": value.slug}, values | borne_by)
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
    for name, slugs in rules.places_of(plan).items():
        for slug in sorted(slugs):
            setup.refer(name, versions.PLACES[name], slug, (*item.place, "rule"))
    for rule in heard.unheard(value.kind, plan):
        setup.fault((*item.place, "rule"), str(rule))
    if value.kind == "cash_back":
        _gives_gift_cards(setup, item, plan)
    return len(setup.faults) == before


def _gives_gift_cards(setup: Setup, item: Item[ProgramIn], plan: Plan) -> None:
    """Tell a fault where cash back gives something else than a gift card."""
    wanted = select(Reward.slug, Reward.kind).where(Reward.slug.in_([step.reward for step in plan.thresholds]))
    for slug, kind in setup.session.execute(wanted).all():
        if kind != "gift_card":
            setup.fault((*item.place, "rule"), f"a cash_back gives gift cards, and reward {slug} is a {kind}")


def _keeps_kind(setup: Setup, item: Item[ProgramIn]) -> bool:
    """Tell whether a program that is there already stays of its kind: what members hold is counted by it."""
    known = setup.session.scalar(select(Program.kind).where(Program.slug == item.value.slug))
    if known in (None, item.value.kind):
        return True
    setup.fault((*item.place, "kind"), f"program {item.value.slug} is a {known}: a program keeps its kind")
    return False


def _full_card(setup: Setup, item: Item[ProgramIn]) -> dict[str, Any]:
    if item.value.reward is None:
        return {"size": None, "reward_id": None}
    reward = setup.session.scalars(select(Reward).where(Reward.slug == item.value.reward)).one()
    return {"size": item.value.size, "reward_id": reward.id}


def _version(setup: Setup, program: Program, card: dict[str, Any], plan: Plan) -> None:
    """Let the file say what holds from now on; versions that were planned for later stay as they are."""
    session, content = setup.session, Content(plan, **card)
    versions.hold(session, program)
    row = versions.current(session, program)
    if row is not None and versions.says(program.kind, row, content):
        return
    if row is not None and not versions.has_earned(session, row):
        setup.update(row, f"program {program.slug} version {row.number}", content.columns)
        return
    begins = clock.now() if row is not None else versions.FIRST
    number = versions.add(session, program, content, valid_from=begins).number
    if number > 1:
        setup.changed("+", f"program {program.slug}", f"version {number}")
