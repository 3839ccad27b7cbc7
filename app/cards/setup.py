"""The `[[programs]]` of a brand file. A program that has earned is changed by a new version, never in place."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field
from sqlalchemy import select

from app.cards.models import Award, Program, ProgramVersion
from app.cards.rules import StampRule
from app.core import clock
from app.core.setup import Entry, Section, Setup
from app.network.setup import Slug, Texts
from app.rewards.models import Reward


class ProgramIn(Entry):
    """A stamp card: its names, how it earns, and what a full one gives."""

    slug: Slug
    kind: Literal["stamp_card"] = "stamp_card"
    name: Texts
    unit: dict[Literal["fi", "sv", "en"], list[str]]  # singular and plural
    position: int = 0
    size: int = Field(ge=1, le=100)
    rule: StampRule
    reward: str


SECTIONS = (Section("programs", ProgramIn, refers={"reward": ("rewards", Reward)}),)


def apply(setup: Setup) -> None:
    """Save the programs and, where the rules differ from the newest version, a new one."""
    for item in setup.items("programs", ProgramIn):
        value = item.value
        if any(len(forms) != 2 for forms in value.unit.values()):
            setup.fault((*item.place, "unit"), "each language needs two forms: singular and plural")
            continue
        reward = setup.refer("rewards", Reward, value.reward, (*item.place, "reward"))
        if reward is None:
            continue
        program = setup.save(
            Program, f"program {value.slug}", {"slug": value.slug}, item.given("kind", "name", "unit", "position")
        )
        _version(setup, program, {"size": value.size, "reward_id": reward.id, "rule": value.rule.model_dump()})


def _version(setup: Setup, program: Program, values: dict[str, object]) -> None:
    newest = setup.session.scalar(
        select(ProgramVersion)
        .where(ProgramVersion.program_id == program.id)
        .order_by(ProgramVersion.number.desc())
        .limit(1)
    )
    if newest is None:
        # The first version holds from the beginning of time: a program without rules at a moment would lose stamps.
        start = datetime(2000, 1, 1, tzinfo=UTC)
        setup.session.add(ProgramVersion(program_id=program.id, number=1, valid_from=start, **values))
        setup.session.flush()
        return
    if all(getattr(newest, key) == value for key, value in values.items()):
        return
    earned = setup.session.scalar(select(Award.id).where(Award.version_id == newest.id).limit(1))
    if earned is None:
        setup.update(newest, f"program {program.slug} version {newest.number}", values)
        return
    number = newest.number + 1
    setup.session.add(ProgramVersion(program_id=program.id, number=number, valid_from=clock.now(), **values))
    setup.session.flush()
    setup.changed("+", f"program {program.slug}", f"version {number}")
