"""Which rules a balance sets off on its way up, each once for a member and a round of the count."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules, uses
from app.cards.models import TriggerRun
from app.cards.programs import ProgramInForce
from app.cards.rules import Facts, Rule

REACHED = "threshold_reached"


@dataclass(frozen=True)
class Due:
    """A rule that is set off, and its source: the rule, the round, and how often this was taken back before."""

    rule: Rule
    source: str


def has_rules(program: ProgramInForce) -> bool:
    """Tell whether a program has rules that wait for a balance."""
    return any(rule.on == REACHED and rule.at is not None for rule in program.plan.rules)


def due(
    session: Session, program: ProgramInForce, *, member_id: int, before: int, after: int, number: int
) -> Iterator[Due]:
    """Give the rules that a rise of the balance sets off, the lowest balance first.

    Args:
        after: before full rounds are taken off.
        number: how often the count had begun anew before the rise.
    """
    runs = runs_of(session, program.id, member_id)
    top = program.full_at or 0
    for rule in sorted(program.plan.rules, key=lambda rule: rule.at or 0):
        if rule.on != REACHED or rule.at is None:
            continue
        place = rules.passed(rule.at, before, after, top=top, number=number)
        if place is not None and (source := next_source(runs, f"{rule.name}:{place}")):
            yield Due(rule, source)


def runs_of(session: Session, program_id: int, member_id: int) -> list[TriggerRun]:
    """Return what a balance or a tier has set off for a member in a program."""
    mine = select(TriggerRun).where(
        TriggerRun.program_id == program_id, TriggerRun.member_id == member_id, TriggerRun.kind == REACHED
    )
    return list(session.scalars(mine))


def next_source(runs: list[TriggerRun], begins: str) -> str | None:
    """Return the source of the next run for what `begins` names; None where one stands that was not taken back."""
    had = [run for run in runs if run.source.rpartition(":")[0] == begins]
    return None if any(run.taken_back_at is None for run in had) else f"{begins}:{len(had)}"


def facts_of(session: Session, program: ProgramInForce, facts: Facts, rule: Rule, *, member_id: int) -> Facts:
    """Return what a rule sees that a balance sets off: what was seen of the event that raised it, without a basket."""
    used = facts.used
    if rule.limit is not None and rule.name not in used:
        day = facts.at.date()
        used = uses.read(session, [rule], program_id=program.id, member_id=member_id, day=day, lock=True)
    return replace(facts, trigger=REACHED, rule=rule.name, due_cents=0, lines=(), used=used)
