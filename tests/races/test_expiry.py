"""Expiry at one moment with a sale that would use the same lots, and twins that do not wait for each other.

A sale of now ends them itself; a till that was offline sold before they were over, and may use what nobody ended yet.
"""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.cards import jobs
from app.cards.models import ProgramVersion
from app.core import clock
from app.ledger.accounts import OpenAccount, OpenLot, Terms, open_accounts
from app.ledger.models import Account, LedgerEntry
from app.rewards.models import Coupon
from tests.members.races import at_once
from tests.races.world import SIZE, World

DUE = SIZE - 1  # stamps that expire; one more fills the card


def earn_what_is_over(world: World) -> None:
    """Give the member stamps whose time is over, and for which no job has come yet."""
    with world.unit() as session:
        version = session.scalars(select(ProgramVersion)).one()
        context = {"occurred_at": clock.now(), "version_id": version.id}
        opened = open_accounts(session, member_id=world.member_id, program_ids=[version.program_id], context=context)
        opened[version.program_id].add("earn", DUE, Terms(clock.now() - timedelta(seconds=1)))


def race(
    world: World, monkeypatch: pytest.MonkeyPatch, *, first: str, offline: bool, linger: float = 0.5
) -> tuple[list[object], tuple[int, int, int]]:
    """Let lots expire and a sale come that would fill the card with them; the first waits for the other one.

    Args:
        first: who has seen the lots when the other comes.
        offline: the sale was before they were over.
        linger: the most seconds that it waits; a twin's other one waits for nothing.

    Returns what failed, and coupons, balance and what expired.
    """
    seen, ended, lots, mine = threading.Event(), threading.Event(), OpenAccount.lots, threading.local()
    last_look = 1 if first == "sale" and offline else 2  # what ends lots looks for such as are to be released before

    def lots_and_linger(account: OpenAccount) -> list[OpenLot]:
        found = lots(account)
        mine.looks = getattr(mine, "looks", 0) + 1
        if mine.first and mine.looks == last_look:
            seen.set()
            ended.wait(linger)
        return found

    def act(number: int) -> None:
        mine.first = number == 0
        if number:
            assert seen.wait(10)
        if (number == 0) == (first == "expire"):
            with world.unit() as session:
                session.info["brand_id"] = None
                jobs.expire(session)
        else:
            with world.unit() as session:
                world.buy(session, at=clock.now() - timedelta(minutes=1) if offline else None)
        if number:
            ended.set()

    earn_what_is_over(world)
    monkeypatch.setattr(OpenAccount, "lots", lots_and_linger)
    failed = [result for result in at_once(2, act) if result is not None]
    with world.reading() as session:
        expired = select(-func.sum(LedgerEntry.amount)).where(LedgerEntry.kind == "expire")
        balance = session.scalar(select(func.sum(Account.balance))) or 0
        coupons = session.scalar(select(func.count(Coupon.id))) or 0
        return failed, (coupons, int(balance), int(session.scalar(expired) or 0))


RACES = pytest.mark.parametrize(
    ("first", "offline", "stands"),
    [
        ("expire", False, (0, 1, DUE)), ("sale", False, (0, 1, DUE)),
        ("expire", True, (0, 1, DUE)), ("sale", True, (1, 0, 0)),
    ],
)  # fmt: skip


@RACES
def test_expiry_and_a_sale_at_once_use_a_lot_once(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str, offline: bool, stands: tuple[int, int, int]
) -> None:
    assert race(world, monkeypatch, first=first, offline=offline) == ([], stands)
    assert world.faults() == []


@RACES
@pytest.mark.usefixtures("unlocked")
def test_expiry_that_does_not_lock_the_account_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str, offline: bool, stands: tuple[int, int, int]
) -> None:
    failed, stood = race(world, monkeypatch, first=first, offline=offline, linger=5)

    assert failed or stood != stands or world.faults()


def test_expiry_from_four_threads_at_once_expires_once(world: World) -> None:
    earn_what_is_over(world)

    def act(_number: int) -> None:
        with world.unit() as session:
            session.info["brand_id"] = None
            jobs.expire(session)

    assert at_once(4, act) == [None] * 4

    with world.reading() as session:
        expired = session.scalars(select(LedgerEntry.amount).where(LedgerEntry.kind == "expire")).all()
    assert (expired, world.faults()) == ([-DUE], [])
