"""The `[[programs]]` of a brand file. A program that has earned is changed by a new version, never in place."""

from typing import Any, Literal

from pydantic import Field, ValidationError
from sqlalchemy import select

from app.cards import rules, versions
from app.cards.models import Program
from app.cards.rules import Plan
from app.cards.versions import Content
from app.core import clock
from app.core.setup import Entry, Item, Section, Setup, entry_faults
from app.network.setup import Slug, Texts
from app.rewards.models import Reward

# The ledger and the rules know every kind of `rules.KINDS`; the pages draw stamp cards. A kind is added with its pages.
Kind = Literal["stamp_card"]


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


SECTIONS = (Section("programs", ProgramIn, refers={"reward": ("rewards", Reward)}),)


def apply(setup: Setup) -> None:
    """Save the programs and, where the rules differ from the newest version, a new one."""
    for item in setup.items("programs", ProgramIn):
        value = item.value
        if any(len(forms) != 2 for forms in value.unit.values()):
            setup.fault((*item.place, "unit"), "each language needs two forms: singular and plural")
            continue
        plan = _plan(setup, item)
        if plan is None or not _named(setup, item, plan):
            continue
        program = setup.save(
            Program, f"program {value.slug}", {"slug": value.slug}, item.given("kind", "name", "unit", "position")
        )
        _version(setup, program, _full_card(setup, item), plan)


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
