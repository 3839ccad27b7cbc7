"""Limits of a rule with many members at one moment on both databases, and broken twins that are caught.

Each member has an account of its own: only the row that counts the rule makes them wait for each other.
"""

import threading
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service, uses
from app.cards.models import Program, RuleTotal
from app.core import clock
from app.ledger.accounts import open_accounts
from app.members.models import Member
from app.network.models import Till
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.members.races import at_once
from tests.races.world import World
from tests.shop import a_basket

Limit = dict[Any, int]
MEMBERS = 8
# What eight members are given after one who had 10, and what is counted in the end: times and units.
LIMITS = pytest.mark.parametrize(
    ("limit", "given", "counted"),
    [({"first_n": 4}, {10: 3, 0: 5}, (4, 40)), ({"budget": 35}, {10: 2, 5: 1, 0: 5}, (4, 35))],
    ids=["first n", "budget"],
)


def buy(world: World, session: Session, member_id: int) -> int:
    """Book a purchase; return what the rule awarded."""
    member, till = session.get_one(Member, member_id), session.get_one(Till, world.till_id)
    answer = service.record_purchase(session, a_basket(500), member=member, till=till)
    return sum(line.amount for line in answer.awards if line.program.kind == "points")


def race(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: Limit, *, lock: bool
) -> tuple[Counter[Any], tuple[int, int]]:
    """Let members buy at once; return what each was awarded or what failed, and what was counted.

    They decide when all have read what was used before, unless something makes them wait for each other.

    Args:
        lock: whether what was used before is locked; a twin's is not.
    """
    with world.unit() as session:
        rule = {"name": "gift", "then": [{"do": "award", "n": 10}], "limit": limit}
        program = a_plan(session, "points", {"rules": [rule]})
        members = [a_member(session).id for _member in range(MEMBERS)]
        buy(world, session, world.member_id)  # so that the row that counts the rule is there
        coffee = select(Program.id).where(Program.id != program.id)
        for member_id in members:
            both = [program.id, *session.scalars(coffee)]
            open_accounts(session, member_id=member_id, program_ids=both, context={"occurred_at": clock.now()})
    everybody_looked, read = threading.Barrier(MEMBERS), uses.read

    def read_and_wait(*asked: Any, **of: Any) -> Any:
        found = read(*asked, **{**of, "lock": lock})
        if found:
            with suppress(threading.BrokenBarrierError):  # somebody waits for what another one holds
                everybody_looked.wait(0.5)
        return found

    def act(number: int) -> int:
        with world.unit() as session:
            return buy(world, session, members[number])

    monkeypatch.setattr(uses, "read", read_and_wait)
    told = Counter(one if isinstance(one, int) else type(one).__name__ for one in at_once(MEMBERS, act))
    with world.reading() as session:
        total = session.scalars(select(RuleTotal)).one()
        return told, (total.times, total.awarded)


@LIMITS
def test_limit_gives_to_nobody_more_than_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: Limit, given: Limit, counted: tuple[int, int]
) -> None:
    assert race(world, monkeypatch, limit, lock=True) == (given, counted)
    assert world.faults() == []


@LIMITS
@pytest.mark.usefixtures("unlocked")
def test_limit_that_is_read_without_its_lock_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: Limit, given: Limit, counted: tuple[int, int]
) -> None:
    assert race(world, monkeypatch, limit, lock=False) != (given, counted)
