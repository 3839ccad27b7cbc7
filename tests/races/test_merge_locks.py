"""Merges take their locks in the order of decision 0017, beside all that meets them; twins that do not are ended.

A deadlock needs two locks at least, so only PostgreSQL has the twins: SQLite has one writer.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import expiry, merge, refunds
from app.core import clock
from app.ledger import service as ledger
from app.ledger.accounts import open_accounts
from app.ledger.models import Account, Lot, Purchase
from app.members import lookup
from app.members import service as members
from app.members.models import Member
from app.network.models import Till
from app.rewards import coupons, giving
from app.rewards import service as rewards
from app.rewards.models import Coupon
from tests.builders import a_member
from tests.members.races import at_once
from tests.races.test_locks import LINGER, ON_POSTGRES, deadlocked
from tests.races.world import SIZE, World

Act = Callable[[Session], object]


class Meeting:
    """Two units that stop where both hold something, or go on after a while: one may be waiting for the other."""

    def __init__(self) -> None:
        self.both = threading.Barrier(2)

    def after(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return what does something and then waits for the other unit, until they have met or missed each other."""

        def do(*args: Any, **values: Any) -> Any:
            done = act(*args, **values)
            with suppress(threading.BrokenBarrierError):
                self.both.wait(LINGER)
            return done

        return do


def a_newcomer(world: World, *, sales: int = 1) -> tuple[int, list[int]]:
    """Build a member who is to be merged; return who, and the sales to both members."""
    with world.unit() as session:
        newcomer_id = a_member(session, state="provisional").id
        for _sale in range(sales):
            world.buy(session)
        return newcomer_id, [world.buy(session, newcomer_id).purchase_id for _sale in range(sales)]


def absorb(world: World, newcomer_id: int, into_id: int) -> Act:
    """Return what merges a member into another."""

    def act(session: Session) -> object:
        newcomer, into = (session.get_one(Member, one) for one in (newcomer_id, into_id))
        return merge.absorb(session, newcomer, into=into)

    return act


def meet(world: World, *acts: Act) -> list[object]:
    """Do some things in units that begin together; return the exceptions, None where there was none."""

    def run(number: int) -> None:
        with world.unit() as session:
            acts[number](session)

    return at_once(len(acts), run)


def standing(world: World) -> tuple[set[int], list[str]]:
    """Return who has units or a living coupon, and what is wrong with the books."""
    with world.reading() as session:
        held = session.scalars(select(Account.member_id).where((Account.balance != 0) | (Account.pending != 0)))
        has = set(held) | set(session.scalars(select(Coupon.member_id)))
    return has, world.faults()


# --- members: two merges across each other -------------------------------------------------------------------------


def crossed_merges(world: World, patch: pytest.MonkeyPatch) -> list[object]:
    """Merge each of two members into the other at once."""
    newcomer_id, _sales = a_newcomer(world)
    patch.setattr(lookup, "lock", Meeting().after(lookup.lock))
    return meet(world, absorb(world, newcomer_id, world.member_id), absorb(world, world.member_id, newcomer_id))


def test_two_merges_across_each_other_leave_one_member_with_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crossed_merges(world, monkeypatch) == [None, None]

    has, faults = standing(world)
    assert (len(has), faults) == (1, [])


@ON_POSTGRES
def test_merge_that_locks_the_newcomer_first_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, lock = Meeting(), lookup.lock

    def as_named(session: Session, *member_ids: int) -> list[Member]:
        first = meeting.after(lock)(session, member_ids[0])
        return [*first, *lock(session, *member_ids[1:])]

    newcomer_id, _sales = a_newcomer(world)
    monkeypatch.setattr(lookup, "lock", as_named)

    assert deadlocked(
        meet(world, absorb(world, newcomer_id, world.member_id), absorb(world, world.member_id, newcomer_id))
    )


# --- the member before the accounts: a sale or a refund that is on its way ------------------------------------------


def merge_beside(world: World, patch: pytest.MonkeyPatch, what: str) -> list[object]:
    """Merge a member while a sale or a refund of theirs holds them, and has not got their accounts yet."""
    newcomer_id, (sale, *_rest) = a_newcomer(world)
    held, merged, hold = threading.Event(), threading.Event(), ledger.hold_member

    def hold_and_linger(session: Session, member_id: int) -> int:
        member_id = hold(session, member_id)
        held.set()
        merged.wait(LINGER)
        return member_id

    def other(session: Session) -> object:
        if what == "sale":
            return world.buy(session, newcomer_id)
        return refunds.refund(session, session.get_one(Purchase, sale), till=session.get_one(Till, world.till_id))

    def late_merge(session: Session) -> None:
        assert held.wait(10)
        absorb(world, newcomer_id, world.member_id)(session)

    patch.setattr(ledger, "hold_member", hold_and_linger)
    return meet(world, other, late_merge)


WHAT = pytest.mark.parametrize("what", ["sale", "refund"])


@WHAT
def test_sale_or_refund_that_meets_a_merge_ends_as_the_merge_does(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    assert merge_beside(world, monkeypatch, what) == [None, None]
    assert standing(world) == ({world.member_id}, [])


@ON_POSTGRES
@WHAT
def test_merge_that_opens_accounts_before_it_locks_their_members_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    lock_members = members.absorb

    def accounts_first(session: Session, newcomer: Member, into: Member) -> Member:
        open_accounts(session, member_id=newcomer.id, program_ids=[], context={})
        return lock_members(session, newcomer, into)

    monkeypatch.setattr(members, "absorb", accounts_first)

    assert deadlocked(merge_beside(world, monkeypatch, what))


# --- the accounts of several members, by id: lots that are over ----------------------------------------------------


def merge_beside_lots_that_end(world: World, patch: pytest.MonkeyPatch) -> list[object]:
    """Merge a member while the job ends lots of both; each lingers over the first accounts that it has."""
    newcomer_id, _sales = a_newcomer(world)
    with world.unit() as session:
        session.execute(update(Lot).values(expires_at=clock.now() - timedelta(minutes=1)))
    meeting = Meeting()
    for module in (merge, expiry):
        patch.setattr(module, "open_accounts", meeting.after(open_accounts))
    return meet(
        world, absorb(world, newcomer_id, world.member_id), lambda session: expiry.expire_due(session, now=clock.now())
    )


def test_merge_and_the_end_of_both_members_lots_both_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert merge_beside_lots_that_end(world, monkeypatch) == [None, None]

    with world.unit() as session:
        expiry.expire_due(session, now=clock.now())  # what moved meanwhile
    assert standing(world) == (set(), [])


@ON_POSTGRES
def test_merge_that_opens_the_accounts_of_the_higher_id_first_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "sorted", lambda ids: sorted(ids, reverse=True), raising=False)

    assert deadlocked(merge_beside_lots_that_end(world, monkeypatch))


# --- coupons, by id: the job that ends them -------------------------------------------------------------------------


def merge_beside_coupons_that_end(world: World, patch: pytest.MonkeyPatch) -> list[object]:
    """Merge a member with two coupons while the job ends these; the merge lingers over what it has locked of them."""
    newcomer_id, _sales = a_newcomer(world, sales=2 * SIZE)
    with world.unit() as session:
        session.execute(update(Coupon).values(expires_at=clock.now() - timedelta(minutes=1)))
    held, ended, hold = threading.Event(), threading.Event(), giving.hold_coupons

    def hold_and_linger(session: Session, coupon_ids: list[int]) -> None:
        hold(session, coupon_ids)
        held.set()
        ended.wait(LINGER)

    def end(session: Session) -> None:
        assert held.wait(10)
        rewards.expire_due(session, now=clock.now())
        ended.set()

    patch.setattr(giving, "hold_coupons", hold_and_linger)
    return meet(world, absorb(world, newcomer_id, world.member_id), end)


def test_merge_and_the_expiry_of_the_coupons_that_it_moves_both_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert merge_beside_coupons_that_end(world, monkeypatch) == [None, None]

    with world.reading() as session:
        found = set(session.execute(select(Coupon.member_id, Coupon.state)))
    assert found == {(world.member_id, "expired")}
    assert world.faults() == []


@ON_POSTGRES
def test_merge_that_locks_the_newest_coupon_first_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = coupons.hold_coupons
    monkeypatch.setattr(giving, "hold_coupons", lambda session, ids: hold(session, [max(ids)]))

    assert deadlocked(merge_beside_coupons_that_end(world, monkeypatch))
