"""Merges and refunds at one moment on both databases, and a broken twin of each that is caught."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import merge, refunds
from app.core import clock
from app.ledger import service as ledger
from app.ledger.accounts import open_accounts
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Redemption
from tests.builders import a_member
from tests.members.races import at_once
from tests.races.world import SIZE, World


def merge_race(world: World, monkeypatch: pytest.MonkeyPatch, *, linger: float = 0.5) -> tuple[int, int]:
    """Merge a member while a purchase of theirs is on its way; return what each of the two accounts holds.

    Args:
        linger: the most seconds that the purchase waits for the merge; a twin's merge waits for nothing.
    """
    held, merged = threading.Event(), threading.Event()
    hold = ledger.hold_member

    def hold_and_linger(session: Session, member_id: int) -> int:
        member_id = hold(session, member_id)
        held.set()
        merged.wait(linger)  # the merge is through by then, unless something makes it wait for this purchase
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
    with world.reading() as session:
        balances = dict(session.execute(select(Account.member_id, Account.balance)).all())
    return balances[world.member_id], balances[newcomer_id]


def test_purchase_that_meets_a_merge_lands_on_the_member_that_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert merge_race(world, monkeypatch) == (2, 0)
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_purchase_that_does_not_hold_its_member_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert merge_race(world, monkeypatch, linger=5) != (2, 0)


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

    with world.reading() as session:
        bought = session.scalar(select(func.count(Purchase.id))) or 0
        coupons = session.scalar(select(func.count(Coupon.id)).where(Coupon.member_id == world.member_id)) or 0
        balances = dict(session.execute(select(Account.member_id, Account.balance)).all())
    assert bought == 44
    assert balances.pop(world.member_id) + SIZE * coupons == bought
    assert set(balances.values()) == {0}
    assert world.faults() == []


def basket_race(
    world: World, monkeypatch: pytest.MonkeyPatch, *, first: str, seconds: float = 0.5
) -> tuple[list[str], int]:
    """Redeem a coupon on a basket while the basket is taken back; the first lingers before it ends.

    Args:
        seconds: the most that it lingers for the other one.

    Returns what each was told, and how many redemptions stand on the purchase that was taken back.
    """
    with world.unit() as session:
        for _stamp in range(SIZE):
            issued = world.buy(session).coupons
        code, basket_id = issued[0].code, world.buy(session).purchase_id
    holds, ended = threading.Event(), threading.Event()

    def linger() -> None:
        holds.set()
        ended.wait(seconds)  # the other one is through by then, unless something makes it wait

    def redeem(session: Session) -> str:
        ledger.demand_standing(session, session.get_one(Purchase, basket_id))
        if first == "redeem":
            linger()
        rewards.redeem(session, code, till=session.get_one(Till, world.till_id), purchase_id=basket_id)
        return "redeemed"

    def refund(session: Session) -> str:
        bought, till = session.get_one(Purchase, basket_id), session.get_one(Till, world.till_id)
        return f"{refunds.refund(session, bought, till=till).coupons_returned} returned"

    def give_back_late(session: Session, *, purchase_id: int, at: datetime) -> int:
        returned = give_back(session, purchase_id=purchase_id, at=at)
        if first == "refund":
            linger()
        return returned

    def act(number: int) -> str:
        mine = redeem if (number == 0) == (first == "redeem") else refund
        if number:
            assert holds.wait(10)
        with world.unit() as session:
            told = mine(session)
        ended.set()
        return told

    give_back = rewards.give_back
    monkeypatch.setattr(rewards, "give_back", give_back_late)
    told = [one if isinstance(one, str) else type(one).__name__ for one in at_once(2, act)]
    with world.reading() as session:
        live = select(func.count(Redemption.id)).where(Redemption.reversed_at.is_(None))
        return told, session.scalar(live.join(Refund, Refund.purchase_id == Redemption.purchase_id)) or 0


@pytest.mark.parametrize(
    ("first", "told"), [("redeem", ["redeemed", "1 returned"]), ("refund", ["0 returned", "PurchaseRefunded"])]
)
def test_basket_that_is_taken_back_keeps_no_coupon_that_was_used_on_it(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str, told: list[str]
) -> None:
    assert basket_race(world, monkeypatch, first=first) == (told, 0)
    assert world.faults() == []


@pytest.mark.parametrize("first", ["redeem", "refund"])
@pytest.mark.usefixtures("unlocked")
def test_redemption_that_only_looks_at_its_basket_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    def look(session: Session, purchase: Purchase) -> None:
        """The twin: look whether there is a refund, and hold nothing."""
        if session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id)) is not None:
            raise ledger.PurchaseRefunded("")

    monkeypatch.setattr(ledger, "demand_standing", look)

    # A refund never waits for the twin's redemption; a redemption does wait for the coupons that a refund holds.
    seconds = 5 if first == "redeem" else 0.5
    told, standing = basket_race(world, monkeypatch, first=first, seconds=seconds)

    assert standing == 1 or not {"1 returned", "PurchaseRefunded"} & set(told)


Refunding = Callable[[Session, Purchase, Till], object]


def refund_race(world: World, act: Refunding) -> tuple[int, int, int]:
    """Take one purchase back ten times at once; return what failed, how often stamps were taken, and the balance."""
    with world.unit() as session:
        world.buy(session)
        purchase_id = world.buy(session).purchase_id

    def take_back(_number: int) -> None:
        with world.unit() as session:
            act(session, session.get_one(Purchase, purchase_id), session.get_one(Till, world.till_id))

    failed = sum(result is not None for result in at_once(10, take_back))
    with world.reading() as session:
        taken = select(func.count(LedgerEntry.id)).where(LedgerEntry.kind == "reverse_earn")
        return failed, session.scalar(taken) or 0, session.scalar(select(func.sum(Account.balance))) or 0


def test_ten_refunds_of_one_purchase_take_its_stamp_once(world: World) -> None:
    assert refund_race(world, lambda session, bought, till: refunds.refund(session, bought, till=till)) == (0, 1, 1)
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
            opened = open_accounts(session, member_id=bought.member_id, program_ids=[], context=context)
            for account in opened.values():
                account.take("reverse_earn", 1, reason="refund")

    assert refund_race(world, look_then_refund) != (0, 1, 1)
