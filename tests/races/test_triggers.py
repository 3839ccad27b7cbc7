"""One source that is heard five times at once gives once, on both databases; a twin that looks first is caught."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import triggers
from app.cards.models import TriggerRun
from app.core import clock
from app.ledger.models import Account, LedgerEntry
from app.members.models import Member
from app.rewards.models import Coupon
from tests.cards.kinds import a_plan
from tests.members.races import at_once
from tests.races.world import World

TIMES = 5
PLAN = {
    "rules": [
        {"name": "answer", "on": "survey_answered",
         "then": [{"do": "award", "n": 50}, {"do": "issue", "reward": "bun"}]}
    ]
}  # fmt: skip


def race(world: World, act: Any) -> tuple[int, int, int]:
    """Do something five times at once; return how many runs, entries and coupons there are then."""
    with world.unit() as session:
        program = a_plan(session, "points", PLAN)
        session.add(Account(member_id=world.member_id, program_id=program.id))

    def one(number: int) -> None:
        with world.unit() as session:
            act(session, session.get_one(Member, world.member_id), number)

    failed = [error for error in at_once(TIMES, one) if error is not None]
    assert failed == []
    with world.reading() as session:
        counts = [session.scalar(select(func.count(table.id))) for table in (TriggerRun, LedgerEntry, Coupon)]
        return counts[0] or 0, counts[1] or 0, counts[2] or 0


def test_source_that_is_heard_five_times_at_once_gives_once(world: World) -> None:
    def act(session: Session, member: Member, _number: int) -> None:
        triggers.trigger(session, member, "survey_answered", 7)

    assert race(world, act) == (1, 1, 1)
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_source_that_is_looked_up_before_it_is_written_is_caught(world: World) -> None:
    everybody_looked = threading.Barrier(TIMES)

    def act(session: Session, member: Member, number: int) -> None:
        known = select(TriggerRun.id).where(TriggerRun.member_id == member.id)
        if session.scalar(known) is not None:
            return
        with suppress(threading.BrokenBarrierError):
            everybody_looked.wait(0.5)
        triggers.trigger(session, member, "survey_answered", f"7:{number}")  # the twin: nothing is unique

    assert race(world, act) != (1, 1, 1)


def test_source_that_is_taken_back_five_times_at_once_is_undone_once(world: World) -> None:
    def act(session: Session, member: Member, _number: int) -> None:
        triggers.trigger(session, member, "survey_answered", 7, at=clock.now())
        triggers.take_back(session, member, "survey_answered", 7)

    assert race(world, act) == (1, 2, 1)
    assert world.faults() == []
