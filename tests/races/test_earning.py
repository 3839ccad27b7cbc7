"""Stamps and coupons at one moment on both databases, and a broken twin of each that is caught.

The twins are what one writes first: a balance read without its lock, a coupon that is looked at and then marked.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.ledger.models import Account, LedgerEntry
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Redemption
from app.rewards.service import CouponNotUsable
from tests.builders import a_till
from tests.members.races import FULL, at_once
from tests.races.world import SIZE, World

THREADS, STAMPS, TILLS = 8, 25, 20


def stamp_race(world: World) -> tuple[int, int, int, list[str]]:
    """Stamp one card from eight threads; return stamps answered, shown by balance and coupons, booked, and faults."""

    def stamp(_thread: int) -> int:
        answered = 0
        for _stamp in range(STAMPS):
            with world.unit() as session:
                amount = world.buy(session).awards[0].amount
            answered += amount
        return answered

    answered = sum(result for result in at_once(THREADS, stamp) if isinstance(result, int))
    with world.reading() as session:
        balance = session.scalar(select(func.sum(Account.balance))) or 0
        coupons = session.scalar(select(func.count(Coupon.id))) or 0
        booked = session.scalar(select(func.sum(LedgerEntry.amount)).where(LedgerEntry.kind == "earn")) or 0
    return answered, balance + SIZE * coupons, int(booked), world.faults()


def test_stamps_from_eight_threads_are_all_there(world: World) -> None:
    total = THREADS * STAMPS

    assert stamp_race(world) == (total, total, total, [])


@pytest.mark.usefixtures("unlocked")
def test_stamps_without_the_lock_are_caught(world: World) -> None:
    answered, shown, booked, found = stamp_race(world)

    assert found or not answered == shown == booked


Redeem = Callable[[Session, str, Till], object]


def redeem(session: Session, code: str, till: Till) -> object:
    """Redeem as the tills do."""
    return rewards.redeem(session, code, till=till)


def look_then_redeem(session: Session, code: str, till: Till) -> object:
    """The twin: look whether the coupon is usable, then mark it."""
    view = rewards.find(session, code)
    if not view.usable:
        raise rewards.refusal(session, view)
    session.execute(update(Coupon).where(Coupon.id == view.coupon.id).values(state="redeemed"))
    now = clock.now()
    money = {"settlement_cents": 0, "fee_cents": 0}
    session.add(
        Redemption(
            coupon_id=view.coupon.id,
            till_id=till.id,
            outlet_id=till.outlet_id,
            occurred_at=now,
            recorded_at=now,
            **money,
        )
    )
    return view


def redeem_race(world: World, act: Redeem) -> tuple[Counter[str], int]:
    """Redeem one coupon at 20 tills at once; return what they were told, and how many redemptions stand."""
    with world.unit() as session:
        for _stamp in range(SIZE):
            issued = world.buy(session).coupons
        code = issued[0].code
        tills = [a_till(session).id for _till in range(TILLS)]

    def use(number: int) -> str:
        with world.unit() as session:
            act(session, code, session.get_one(Till, tills[number]))
        return "redeemed"

    told = Counter(result if isinstance(result, str) else type(result).__name__ for result in at_once(TILLS, use))
    with world.reading() as session:
        return told, session.scalar(select(func.count(Redemption.id))) or 0


@pytest.mark.parametrize("round_number", range(50 if FULL else 2))
def test_coupon_at_twenty_tills_is_redeemed_once(world: World, round_number: int) -> None:
    told, standing = redeem_race(world, redeem)

    assert told == {"redeemed": 1, CouponNotUsable.__name__: TILLS - 1}
    assert (standing, world.faults()) == (1, [])


@pytest.fixture
def many_redemptions(world: World) -> Iterator[None]:
    """Take away the index that lets one redemption stand, and put it back."""
    index = next(index for index in Redemption.__table__.indexes if index.name == "uq_redemption_live")  # type: ignore[attr-defined]
    index.drop(world.database.engine)
    yield
    with world.unit() as session:
        given = {"brand_id": world.brand_id}
        session.connection().execute(text("DELETE FROM redemption WHERE brand_id = :brand_id"), given)
    index.create(world.database.engine)


@pytest.mark.usefixtures("unlocked", "many_redemptions")
def test_coupon_that_is_looked_at_before_it_is_marked_is_caught(world: World) -> None:
    # Chance decides whether two tills look before one marks; a round in which none did proves nothing.
    for rounds in range(1, 11):
        told, standing = redeem_race(world, look_then_redeem)
        if told["redeemed"] > 1 or standing > rounds:
            break

    assert told["redeemed"] > 1 or standing > rounds
    assert world.faults()
