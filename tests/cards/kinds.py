"""Programs of every kind in a shop, built from their plans."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.models import Program, ProgramVersion
from app.ledger.models import Account
from app.rewards.models import Reward
from tests.shop import START, Shop, a_reward


def a_plan(
    session: Session, kind: str, plan: dict[str, Any], *, slug: str = "", size: int | None = None, **fields: Any
) -> Program:
    """Build a program of a kind with one version, and those of the plan's rewards that are not there."""
    program = Program(slug=slug or kind.replace("_", "-"), kind=kind, name={"en": kind}, unit={"en": ["unit", "units"]})
    session.add(program)
    session.flush()
    known = rules.parse(kind, plan)
    for name in sorted(rules.rewards_of(known) - set(session.scalars(select(Reward.slug)))):
        a_reward(session, name)
    reward: Reward | None = a_reward(session, f"reward-{program.slug}") if size else None
    values = {"number": 1, "valid_from": START, **fields}
    session.add(
        ProgramVersion(
            program_id=program.id, size=size, reward_id=reward.id if reward else None, rule=known.to_json(), **values
        )
    )
    session.flush()
    return program


def holds(shop: Shop, program: Program) -> tuple[int, int]:
    """Return what a member's account holds: what can be used, and what waits."""
    mine = select(Account.balance, Account.pending).where(
        Account.member_id == shop.member.id, Account.program_id == program.id
    )
    balance, pending = shop.session.execute(mine).one()
    return balance, pending
