"""Coupons that several processes redeem at one moment over the API, by code, basket and hold; and a twin without care.

Every till tries every coupon once. All processes meet before each coupon, so that each is wanted by several at one
moment: exactly one till may have it.
"""

from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.ledger.models import Purchase
from app.members import lookup
from app.rewards import service as rewards
from app.rewards.models import Redemption
from tests.builders import a_member, a_till
from tests.commands import processes
from tests.members.races import FULL
from tests.races import redeemer
from tests.races.world import World
from tests.seeds import drawn, say
from tests.shop import a_reward

PROCESSES = 4
COUPONS, TILLS = (50, 5) if FULL else (6, 2)  # tills of each process: 20 or 8 tries of each coupon
MEMBERS = 3
TWIN_ROUNDS, TWIN_COUPONS = 20, 2  # processes that come one after the other by chance prove nothing


def ready(world: World, seed: int, *, twin: bool) -> tuple[dict[str, object], list[str]]:
    """Build the coupons and the tills; return what each process is told, and the keys of the tills."""
    keys = [f"till_of_seed_{seed:08}_{number:08}" for number in range(PROCESSES * TILLS)]
    with world.unit() as session:
        gift = a_reward(session, f"gift-{seed}", kind="discount_cents", face_cents=100)
        members = [a_member(session) for _member in range(MEMBERS)]
        coupons = [
            rewards.issue(
                session, member_id=members[number % MEMBERS].id, reward=gift, source_kind="welcome",
                source_id=seed * COUPONS + number, at=clock.now(),
            ).code
            for number in range(TWIN_COUPONS if twin else COUPONS)
        ]  # fmt: skip
        for key in keys:
            a_till(session, key=key)
        buyers = [lookup.codes_of(session, member.id).code for member in members]
    url = world.database.engine.url.render_as_string(hide_password=False)
    told = {"url": url, "brand_id": world.brand_id, "twin": twin, "seed": seed, "coupons": coupons, "buyers": buyers}
    return told, keys


@pytest.fixture(scope="module")
def lines() -> Iterator[list[Connection]]:
    """Processes that redeem, each at the end of a line; they cost more to start than a race does."""
    running, lines, together = [], [], processes.Barrier(PROCESSES)
    for _process in range(PROCESSES):
        mine, theirs = processes.Pipe()
        running.append(processes.Process(target=redeemer.serve, args=(theirs, together)))
        running[-1].start()
        lines.append(mine)
    yield lines
    for line, process in zip(lines, running, strict=True):
        line.send(None)
        process.join(60)


def race(world: World, lines: list[Connection], seed: int, *, twin: bool = False) -> list[Counter[str]]:
    """Redeem all coupons at all tills; return of each coupon what the tills were told."""
    told, keys = ready(world, seed, twin=twin)
    for number, line in enumerate(lines):
        line.send({**told, "keys": keys[number::PROCESSES]})
    found: list[Counter[str]] = [Counter() for _coupon in range(TWIN_COUPONS if twin else COUPONS)]
    for line in lines:
        assert line.poll(300)
        for counted, tills in zip(found, line.recv(), strict=True):
            counted.update(tills)
    return found


def is_right(found: list[Counter[str]]) -> bool:
    """Tell whether each coupon was redeemed by one till, and refused to all others for what it is."""
    used = [sum(told[way] for way in redeemer.WAYS) for told in found]
    refused = [told["coupon_not_usable"] for told in found]
    return used == [1] * len(found) and refused == [PROCESSES * TILLS - 1] * len(found)


def test_every_coupon_is_redeemed_once_by_code_basket_or_hold(world: World, lines: list[Connection]) -> None:
    seed = say(drawn())

    found = race(world, lines, seed)

    assert is_right(found), found
    on_baskets = sum(told["basket"] for told in found)
    with world.reading() as session:
        live = select(func.count(Redemption.id), func.count(func.distinct(Redemption.coupon_id)))
        assert tuple(session.execute(live.where(Redemption.reversed_at.is_(None))).one()) == (COUPONS, COUPONS)
        assert session.scalar(select(func.count(Purchase.id))) == on_baskets  # a refused basket is not booked
    assert world.faults() == []


def test_coupon_that_is_looked_at_before_it_is_used_is_caught(world: World, lines: list[Connection]) -> None:
    """Two see it unused; only the unique row of a redemption stands between them, and the second till gets a 500."""
    rounds = (race(world, lines, seed, twin=True) for seed in range(TWIN_ROUNDS))

    assert any(told["internal_error"] for found in rounds for told in found)
