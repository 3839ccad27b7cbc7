"""Units that take the same things in different orders both end; twins that lock as they go do not.

A deadlock needs two locks at least, so only PostgreSQL has them: SQLite has one writer.
"""

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import refunds, service
from app.cards.service import Wishes
from app.core import clock, events, jobs
from app.core.jobs import JobKind
from app.ledger.models import Purchase
from app.members.models import Member
from app.network.models import Till
from app.rewards import giving
from app.rewards import jobs as of_rewards
from app.rewards import service as rewards
from app.rewards.models import Coupon
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.members.races import at_once
from tests.races.world import World
from tests.shop import a_basket, a_reward

LINGER = 0.5  # seconds that one waits for the other, who may be waiting for it
EURO = {"rules": [{"name": "euro", "then": [{"do": "per_amount", "cents": 100}]}]}
ON_POSTGRES = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def refund_and_expiry(world: World, patch: pytest.MonkeyPatch) -> tuple[list[object], set[str]]:
    """Take a sale back that filled two cards twice, while their coupons are past their day; return results and states.

    Within a program, a refund opens the newest full card first; the job goes from the oldest coupon on.
    """
    with world.unit() as session:
        for slug in ("one", "other"):
            a_plan(session, "stamp_card", EURO, slug=slug, size=10)
        member, till = session.get_one(Member, world.member_id), session.get_one(Till, world.till_id)
        bought = service.record_purchase(session, a_basket(2500), member=member, till=till)
        assert len(bought.coupons) == 4
        session.execute(update(Coupon).values(expires_at=clock.now() - timedelta(minutes=1)))
    revoked, ended = threading.Event(), threading.Event()
    revoke = giving.revoke

    def revoke_and_linger(session: Session, coupon_id: int) -> bool:
        done = revoke(session, coupon_id)
        if not revoked.is_set():
            revoked.set()
            ended.wait(LINGER)
        return done

    def act(number: int) -> None:
        with world.unit() as session:
            if number == 0:
                purchase = session.get_one(Purchase, bought.purchase_id)
                refunds.refund(session, purchase, till=session.get_one(Till, world.till_id))
                return
            assert revoked.wait(10)
            session.info["brand_id"] = None
            of_rewards.expire(session)
        ended.set()

    patch.setattr(giving, "revoke", revoke_and_linger)
    results = at_once(2, act)
    with world.reading() as session:
        return results, set(session.scalars(select(Coupon.state)))


def deadlocked(results: list[object]) -> bool:
    """Tell whether PostgreSQL ended one of the units because each waited for the other."""
    return any("deadlock" in str(one.__cause__) for one in results if isinstance(one, Exception))


def test_refund_over_several_programs_and_the_expiry_of_their_coupons_both_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refund_and_expiry(world, monkeypatch) == ([None, None], {"revoked"})
    assert world.faults() == []


@ON_POSTGRES
def test_refund_that_locks_coupons_as_it_goes_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewards, "hold_given", lambda *_args, **_more: None)

    results, _states = refund_and_expiry(world, monkeypatch)

    assert deadlocked(results)


def crossed_baskets(world: World, patch: pytest.MonkeyPatch) -> list[object]:
    """Let two members buy at once, each with a coupon of the other."""
    with world.unit() as session:
        gift = a_reward(session, "gift")
        members = [world.member_id, a_member(session).id]
        codes = [
            rewards.issue(
                session, member_id=member_id, reward=gift, source_kind="welcome", source_id=member_id, at=clock.now()
            ).code
            for member_id in members
        ]  # fmt: skip
    both = threading.Barrier(2)
    redeem = rewards.redeem

    def redeem_and_linger(*args: Any, **values: Any) -> Any:
        done = redeem(*args, **values)
        with suppress(threading.BrokenBarrierError):
            both.wait(LINGER)
        return done

    def act(number: int) -> None:
        with world.unit() as session:
            member, till = session.get_one(Member, members[number]), session.get_one(Till, world.till_id)
            wishes = Wishes(coupons=(codes[1 - number],))
            service.record_purchase(session, a_basket(500), member=member, till=till, wishes=wishes)

    patch.setattr(rewards, "redeem", redeem_and_linger)
    return at_once(2, act)


def test_two_members_who_use_coupons_of_each_other_both_buy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crossed_baskets(world, monkeypatch) == [None, None]
    assert world.faults() == []


@ON_POSTGRES
def test_jobs_that_are_written_at_once_are_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once_written(session: Session, kind: JobKind, arguments: dict[str, object], *, run_at: datetime) -> None:
        known = {name: arguments[name] for name in kind.arguments}
        key = f"{kind.name}:{known[kind.unique_by]}" if kind.unique_by else None
        jobs.insert(session, kind, known, unique_key=key, run_at=run_at, brand_id=session.info["brand_id"])

    monkeypatch.setattr(events, "enqueue", at_once_written)

    assert deadlocked(crossed_baskets(world, monkeypatch))
