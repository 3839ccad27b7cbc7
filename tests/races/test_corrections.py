"""Merges and refunds at one moment on both databases, and a broken twin of each that is caught."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import merge, refunds
from app.core import clock
from app.ledger import service as ledger
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.members.models import Member
from app.network.models import Till
from app.rewards.models import Coupon
from tests.builders import a_member
from tests.members.races import at_once
from tests.races.world import SIZE, World


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

    with world.reading() as session:
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
    with world.reading() as session:
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
