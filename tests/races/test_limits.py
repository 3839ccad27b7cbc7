"""Limits and judgments at one moment on both databases, and a broken twin of each that is caught.

The twins count or look without a lock, and write what follows from it.
"""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.cards import by_hand, judging
from app.cards import limit_statements as sql
from app.cards.misuse_models import Flag, ManualStamp
from app.cards.models import Award
from app.core import clock
from app.ledger.models import Account
from app.members.models import Member
from app.network.models import Brand, Outlet, Staff, Till
from tests.builders import NO_LIMITS, a_member
from tests.members.races import FULL, at_once
from tests.races.world import World

ROUNDS = range(20 if FULL else 2)
TWIN_ROUNDS = 40  # chance decides whether two look before one writes; a round in which none did proves nothing
THREADS = 8


def limited(world: World, **limits: int) -> None:
    """Switch some limits on."""
    with world.unit() as session:
        session.get_one(Brand, world.brand_id).limits = {**NO_LIMITS, **limits}


def purchase_race(world: World) -> int:
    """Let eight tills sell to one member who has bought once; return how many sales earned in all."""
    with world.unit() as session:
        member_id = a_member(session).id
        world.buy(session, member_id)

    def sell(_number: int) -> int:
        with world.unit() as session:
            return world.buy(session, member_id).awards[0].amount

    at_once(THREADS, sell)
    with world.reading() as session:
        balance = select(func.sum(Account.balance)).where(Account.member_id == member_id)
        return int(session.scalar(balance) or 0)


@pytest.mark.parametrize("round_number", ROUNDS)
def test_nobody_earns_with_a_fourth_purchase(world: World, round_number: int) -> None:
    limited(world, purchases_outlet_day=3)

    assert purchase_race(world) == 3
    with world.reading() as session:
        cut = select(func.count(Award.id)).where(Award.reason == "limit_outlet_day")
        assert session.scalar(cut) == session.scalar(select(func.count(Flag.id))) == THREADS - 2
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_purchases_that_are_counted_without_the_lock_are_caught(world: World) -> None:
    limited(world, purchases_outlet_day=3)

    assert any(purchase_race(world) != 3 for _round in range(TWIN_ROUNDS))


def stamp_race(world: World, number: int) -> int:
    """Let one cashier stamp eight members at eight tills; return how many stamps were given."""
    with world.unit() as session:
        members = [a_member(session).id for _member in range(THREADS)]
        for member_id in members:
            world.buy(session, member_id)
        till = session.get_one(Till, world.till_id)
        reseller_id = session.get_one(Outlet, till.outlet_id).reseller_id
        cashier = Staff(email=f"elli-{number}@kulma.example", name="Elli", role="cashier", reseller_id=reseller_id)
        session.add(cashier)
        session.flush()
        public_id = cashier.public_id

    def stamp(place: int) -> int:
        with world.unit() as session:
            given = by_hand.stamp(
                session, session.get_one(Member, members[place]), till=session.get_one(Till, world.till_id),
                program="coffee", wanted=1, cashier=public_id, reason="goodwill", occurred_at=clock.now(),
            )  # fmt: skip
            return given.amount

    at_once(THREADS, stamp)
    with world.reading() as session:
        given = select(func.sum(ManualStamp.amount)).where(ManualStamp.cashier == public_id)
        return int(session.scalar(given) or 0)


@pytest.mark.parametrize("round_number", ROUNDS)
def test_cashier_gives_no_more_by_hand_than_the_hour_allows(world: World, round_number: int) -> None:
    limited(world, manual_cashier_hour=3)

    assert stamp_race(world, 0) == 3
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_stamps_that_are_counted_without_the_lock_are_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(world, manual_cashier_hour=3)
    monkeypatch.setitem(sql.HOLD_CASHIER, "postgresql", sql.HOLD_CASHIER["sqlite"])

    assert any(stamp_race(world, number) != 3 for number in range(TWIN_ROUNDS))


Judge = Callable[[Session, Flag, str, Staff], bool]


def look_then_judge(session: Session, flag: Flag, state: str, by: Staff) -> bool:
    """The twin: look whether somebody has judged, then judge."""
    if session.scalars(select(Flag.state).where(Flag.id == flag.id)).one() != "open":
        return False
    judged = {"state": state, "judged_by": by.public_id, "judged_at": clock.now()}
    session.execute(update(Flag).where(Flag.id == flag.id).values(judged))
    return True


def judge_race(world: World, number: int) -> Counter[object]:
    """Let four people approve a cut sale and four take it back at once; return what they were told."""
    with world.unit() as session:
        member_id = a_member(session).id
        world.buy(session, member_id)
        world.buy(session, member_id)
        flag_id = session.scalars(select(Flag.id).where(Flag.member_id == member_id)).one()
        person = Staff(email=f"judge-{number}@meri.example", name="Iida", role="brand_admin")
        session.add(person)
        session.flush()
        staff_id = person.id

    def judge(place: int) -> bool:
        act = judging.approve if place % 2 else judging.reverse
        with world.unit() as session:
            return act(session, session.get_one(Flag, flag_id), by=session.get_one(Staff, staff_id))

    told = Counter(result for result in at_once(THREADS, judge) if isinstance(result, bool))
    with world.reading() as session:
        flag = session.get_one(Flag, flag_id)
        balance = session.scalars(select(Account.balance).where(Account.member_id == member_id)).one()
        told[flag.state, balance] += 1
    return told


@pytest.mark.parametrize("round_number", ROUNDS)
def test_flag_is_judged_once_and_the_award_follows_it(world: World, round_number: int) -> None:
    limited(world, purchases_outlet_day=1)

    told = judge_race(world, 0)

    assert (told[True], told[False]) == (1, THREADS - 1)
    assert told["approved", 2] + told["reversed", 1] == 1
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_flag_that_is_looked_at_before_it_is_judged_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(world, purchases_outlet_day=1)
    monkeypatch.setattr(judging, "_judge", look_then_judge)

    assert any(judge_race(world, number)[True] != 1 for number in range(TWIN_ROUNDS))
