"""Expiry at one moment with a sale that uses the same lots, and twins that do not wait for each other."""

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
    world: World, monkeypatch: pytest.MonkeyPatch, *, first: str, linger: float = 0.5
) -> tuple[list[object], tuple[int, int, int]]:
    """Let lots expire and a sale fill the card with them; the first waits, when it has seen the lots, for the other.

    Args:
        linger: the most seconds that it waits; a twin's other one waits for nothing.

    Returns what failed, and coupons, balance and what expired.
    """
    seen, ended, lots, mine = threading.Event(), threading.Event(), OpenAccount.lots, threading.local()

    def lots_and_linger(account: OpenAccount) -> list[OpenLot]:
        found = lots(account)
        if getattr(mine, "first", False) and not seen.is_set():
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
                world.buy(session)
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


@pytest.mark.parametrize(("first", "stands"), [("expire", (0, 1, DUE)), ("sale", (1, 0, 0))])
def test_expiry_and_a_sale_at_once_use_a_lot_once(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str, stands: tuple[int, int, int]
) -> None:
    assert race(world, monkeypatch, first=first) == ([], stands)
    assert world.faults() == []


@pytest.mark.parametrize(("first", "stands"), [("expire", (0, 1, DUE)), ("sale", (1, 0, 0))])
@pytest.mark.usefixtures("unlocked")
def test_expiry_that_does_not_lock_the_account_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str, stands: tuple[int, int, int]
) -> None:
    failed, stood = race(world, monkeypatch, first=first, linger=5)

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
