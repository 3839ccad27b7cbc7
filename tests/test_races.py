"""Races on both databases: stamps, coupons, merges and refunds at one moment, and a broken twin of each that is caught.

The twins are what one writes first: a balance that is read without its lock, a coupon that is looked at and then
marked, a refund that is looked for and then booked. On SQLite the lock is BEGIN IMMEDIATE, so the twins there also
begin as pysqlite would by itself.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from app.cards import merge, refunds
from app.cards import service as cards
from app.core import clock
from app.core import db as core_db
from app.core.db import Database, brand_of
from app.ledger import service as ledger
from app.ledger import statements as sql
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Redemption
from app.rewards.service import CouponNotUsable
from tests.builders import a_brand, a_member, a_till
from tests.members.races import FULL, at_once
from tests.shop import a_basket, a_shop, faults

THREADS, STAMPS, TILLS, SIZE = 8, 25, 20, 10


@dataclass(frozen=True)
class World:
    """A brand with a card of ten, one stamp a purchase, and ids for threads that open their own units."""

    database: Database
    brand_id: int
    member_id: int
    till_id: int

    def buy(self, session: Session, member_id: int | None = None) -> cards.PurchaseResult:
        member = session.get_one(Member, member_id or self.member_id)
        return cards.record_purchase(session, a_basket(500), member=member, till=session.get_one(Till, self.till_id))

    def unit(self) -> Any:
        return self.database.unit(self.brand_id)

    def faults(self) -> list[str]:
        with self.database.reading(self.brand_id) as session:
            return faults(session)


@pytest.fixture
def world(database: Database) -> World:
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session, per="purchase", cents=0, size=SIZE)
        return World(database, brand_of(session), shop.member.id, shop.till.id)


@pytest.fixture
def unlocked(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take away what makes a read hold until the write that follows from it."""
    engine = world.database.engine
    if not world.database.is_sqlite:
        for statements in (sql.LOCK_ACCOUNTS, sql.HOLD_MEMBER):
            monkeypatch.setitem(statements, "postgresql", statements["sqlite"])
        yield
        return

    def as_pysqlite_would(connection: Any, _record: object) -> None:
        connection.isolation_level = ""

    event.remove(engine, "begin", core_db._sqlite_begin)
    event.listen(engine, "connect", as_pysqlite_would)
    engine.dispose()
    yield


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
    with world.database.reading(world.brand_id) as session:
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
    with world.database.reading(world.brand_id) as session:
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
    told, standing = redeem_race(world, look_then_redeem)

    assert told["redeemed"] > 1 or standing > 1
    assert world.faults()


def merge_race(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Merge a member while a purchase of theirs is on its way; return what each of the two accounts holds."""
    held, merged = threading.Event(), threading.Event()
    hold = ledger.hold_member

    def hold_and_linger(session: Session, member_id: int) -> int:
        member_id = hold(session, member_id)
        held.set()
        merged.wait(0.5)  # the merge is through by then, unless something makes it wait for this purchase
        return member_id

    with world.unit() as session:
        newcomer_id = a_member(session, state="provisional").id
        world.buy(session, newcomer_id)

    def act(number: int) -> None:
        if number:
            with world.unit() as session:
                world.buy(session, newcomer_id)
            return
        assert held.wait(10)
        with world.unit() as session:
            newcomer, into = (session.get_one(Member, one) for one in (newcomer_id, world.member_id))
            merge.absorb(session, newcomer, into=into)
        merged.set()

    monkeypatch.setattr(ledger, "hold_member", hold_and_linger)
    assert at_once(2, act) == [None, None]
    with world.database.reading(world.brand_id) as session:
        balances = dict(session.execute(select(Account.member_id, Account.balance)).all())
    return balances[world.member_id], balances[newcomer_id]


def test_purchase_that_meets_a_merge_lands_on_the_member_that_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert merge_race(world, monkeypatch) == (2, 0)
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_purchase_that_does_not_hold_its_member_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert merge_race(world, monkeypatch) != (2, 0)


def test_purchases_and_merges_from_all_sides_lose_nothing(world: World) -> None:
    newcomers = 4
    with world.unit() as session:
        ids = [a_member(session, state="provisional").id for _newcomer in range(newcomers)]

    def act(number: int) -> None:
        for turn in range(6):
            with world.unit() as session:
                if number < newcomers and turn == 3:
                    newcomer, into = session.get_one(Member, ids[number]), session.get_one(Member, world.member_id)
                    merge.absorb(session, newcomer, into=into)
                else:
                    world.buy(session, ids[number % newcomers] if turn % 2 else world.member_id)

    assert at_once(2 * newcomers, act) == [None] * 2 * newcomers

    with world.database.reading(world.brand_id) as session:
        bought = session.scalar(select(func.count(Purchase.id))) or 0
        coupons = session.scalar(select(func.count(Coupon.id)).where(Coupon.member_id == world.member_id)) or 0
        balances = dict(session.execute(select(Account.member_id, Account.balance)).all())
    assert bought == 44
    assert balances.pop(world.member_id) + SIZE * coupons == bought
    assert set(balances.values()) == {0}
    assert world.faults() == []


Refunding = Callable[[Session, Purchase, Till], object]


def refund_race(world: World, act: Refunding) -> tuple[int, int]:
    """Take one purchase back ten times at once; return how often stamps were taken, and the balance."""
    with world.unit() as session:
        world.buy(session)
        purchase_id = world.buy(session).purchase_id

    def take_back(_number: int) -> None:
        with world.unit() as session:
            act(session, session.get_one(Purchase, purchase_id), session.get_one(Till, world.till_id))

    assert at_once(10, take_back) == [None] * 10
    with world.database.reading(world.brand_id) as session:
        taken = select(func.count(LedgerEntry.id)).where(LedgerEntry.kind == "reverse_earn")
        return session.scalar(taken) or 0, session.scalar(select(func.sum(Account.balance))) or 0


def test_ten_refunds_of_one_purchase_take_its_stamp_once(world: World) -> None:
    assert refund_race(world, lambda session, bought, till: refunds.refund(session, bought, till=till)) == (1, 1)
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_refund_that_is_looked_for_before_it_is_booked_is_caught(world: World) -> None:
    everybody_looked = threading.Barrier(10)

    def look_then_refund(session: Session, bought: Purchase, till: Till) -> None:
        """The twin: look whether there is a refund, then take the stamp, then write the refund if nobody did."""
        missing = session.scalar(select(Refund.id).where(Refund.purchase_id == bought.id)) is None
        everybody_looked.wait(10)
        if missing:
            context = {"occurred_at": clock.now(), "purchase_id": bought.id}
            opened = ledger.open_accounts(session, member_id=bought.member_id, program_ids=[], context=context)
            for account in opened.values():
                account.post("reverse_earn", -1, reason="refund")

    assert refund_race(world, look_then_refund) != (1, 1)
