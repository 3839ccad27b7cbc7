"""Offline tills' events end the same however they are shuffled, repeated, split and mixed with another till's.

Without limits, in the state of events that came one by one; with them, as the batch in its order, since limits count in
the order of recording.
"""

import random
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.cards.limits import Limits
from app.cards.misuse_models import Flag
from app.cards.models import Award, Program
from app.core.db import keyring
from app.ledger.models import Account, Lot, Purchase, Refund, SettlementFact
from app.members.models import Member
from app.network.models import Brand
from app.rewards.models import Coupon, GiftCard
from tests.doors.test_api_batches import sent
from tests.doors.tillside import TillSide
from tests.members.races import FULL
from tests.seeds import say, seeds
from tests.shop import faults
from tests.walls.world import NOW, World

SEEDS, LIMITED_SEEDS = seeds(100 if FULL else 2), seeds(100 if FULL else 1)
EVENTS = 500 if FULL else 50
LIMITED = 120 if FULL else 30  # events of one batch with limits
MOST_GIVEN = 30  # cents of a gift card on one sale
MOST = 250  # events of a batch, before the sales that its refunds need


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_repeated_and_overlapping_batches_end_where_the_order_does(
    till: TillSide, world: World, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(say(seed))
    till.lift_limits()
    events = _two_tills(till, chance)
    parts = [(owner, part) for owner in (0, 1) for part in _parts([e for o, e in events if o == owner], chance)]
    chance.shuffle(parts)

    for owner, part in parts:
        till.key = till.side.tills[owner].key
        assert {result["status"] for result in sent(till, part)} == {201}

    in_order = TillSide(world, tmp_path / "in-order.db")
    in_order.lift_limits()
    for owner, event in events:
        in_order.key = in_order.side.tills[owner].key
        assert sent(in_order, [event])[0]["status"] == 201
    assert _state(till) == _state(in_order)
    in_order.close()


@pytest.mark.parametrize("seed", LIMITED_SEEDS)
def test_batch_within_limits_ends_the_same_however_it_is_shuffled_and_repeated(
    till: TillSide, world: World, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(say(seed))
    events = [event for _owner, event in _two_tills(till, chance, number=LIMITED, owners=1)]
    in_order = TillSide(world, tmp_path / "in-order.db")
    limit(in_order), limit(till)

    once = {result["key"]: result["status"] for result in sent(in_order, events)}
    for _time in range(chance.randint(1, 3)):
        shuffled = [event for event in events for _time in range(chance.randint(1, 3))]
        chance.shuffle(shuffled)
        told = sent(till, shuffled)
        assert {result["key"]: result["status"] for result in told} == once
        assert len(told) == len(shuffled)

    assert set(once.values()) == {201}
    assert _cuts(till) == _cuts(in_order)
    assert sum(_cuts(till)[0].values()) > LIMITED // 4
    assert _state(till) == _state(in_order)
    in_order.close()


def limit(till: TillSide) -> None:
    """Limit a member's purchases as every brand does, and single awards to less than that."""
    with till.database.unit(till.side.brand_id) as session:
        limits = asdict(Limits(purchases_outlet_day=9, purchases_day=14, award_units=15))
        session.get_one(Brand, till.side.brand_id).limits = limits


def _parts(events: list[dict[str, Any]], chance: random.Random) -> list[list[dict[str, Any]]]:
    """Return a till's events as batches: each event one to three times, in any order."""
    repeated = [event for event in events for _time in range(chance.randint(1, 3))]
    chance.shuffle(repeated)
    return [_whole(repeated[start : start + MOST], events) for start in range(0, len(repeated), MOST)]


def _whole(part: list[dict[str, Any]], every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send refunds in a batch with their sale, as a till's queue does: sales that are not among them go before."""
    keys = {event["key"] for event in part}
    needed = {event["body"].get("receipt") for event in part if event["call"] == "/refunds"}
    missing = [
        event for event in every
        if event["call"] == "/purchases" and event["body"]["receipt"] in needed and event["key"] not in keys
    ]  # fmt: skip
    return missing + part


Events = list[tuple[int, dict[str, Any]]]


def _two_tills(till: TillSide, chance: random.Random, *, number: int = EVENTS, owners: int = 2) -> Events:
    """Return events of some tills in the order of time: sales of two members, of which some are taken back.

    Some happen in the same second: then their keys say which came first. Some are paid in part with a gift card, which
    has enough for all of them, whatever comes back first.
    """
    card, purse = _a_gift_card(till)
    begin, day = NOW - timedelta(days=2), (NOW - timedelta(days=2)).date().isoformat()
    events: Events = []
    for place in range(number):
        owner, at = chance.randrange(owners), (begin + timedelta(seconds=place // 2)).isoformat()
        sales = [event for which, event in events if which == owner and event["call"] == "/purchases"]
        gone = {event["body"]["receipt"] for _owner, event in events if event["call"] == "/refunds"}
        left = [event for event in sales if event["body"]["receipt"] not in gone]
        if left and chance.random() < 0.15:
            receipt = chance.choice(left)["body"]["receipt"]
            body: dict[str, Any] = {
                "till": till.side.tills[owner].public_id, "receipt": receipt, "local_date": day,
            }  # fmt: skip
            call = "/refunds"
        else:
            member = till.side.members[chance.randrange(2)].code
            body = {"member": member, "receipt": f"B-{place}", "total_cents": chance.randrange(0, 9000)}
            if purse > 0 and body["total_cents"] > MOST_GIVEN and chance.random() < 0.3:
                body["gift_cards"] = [{"code": card, "cents": chance.randint(1, min(MOST_GIVEN, purse))}]
                purse -= body["gift_cards"][0]["cents"]
            call = "/purchases"
        events.append((owner, {"key": f"e-{place:04}", "occurred_at": at, "call": call, "body": body}))
    return events


def _a_gift_card(till: TillSide) -> tuple[str, int]:
    """Return the code of a card that the first till sold, and what is on it."""
    with till.database.reading(till.side.brand_id) as session:
        card = session.scalars(select(GiftCard).where(GiftCard.public_id == till.side.tills[0].gift_card)).one()
        return keyring(session).text(card.code), card.balance_cents


def _cuts(till: TillSide) -> tuple[Counter[str], dict[tuple[str, str], tuple[int, str]]]:
    """Return how many flags of each kind there are, and what each sale gave in each program and why not more."""
    with till.database.reading(till.side.brand_id) as session:
        rows = session.execute(
            select(Purchase.receipt, Program.slug, Award.amount, Award.reason)
            .join(Purchase, Purchase.id == Award.purchase_id)
            .join(Program, Program.id == Award.program_id)
            .where(Purchase.receipt.like("B-%"))
        )
        awards = {(receipt, slug): (amount, reason) for receipt, slug, amount, reason in rows}
        return Counter(session.scalars(select(Flag.kind))), awards


def _state(till: TillSide) -> dict[object, object]:
    """Return what the books hold, by names that are the same wherever it was booked.

    Of each member lots, live coupons and gift cards, of nobody the bearer's; what each sale made the brand owe; how
    many sales and refunds there are.
    """
    with till.database.reading(till.side.brand_id) as session:
        assert faults(session) == []
        accounts = session.execute(
            select(Member.public_id, Program.slug, Account.balance, Account.pending)
            .join(Account, Account.member_id == Member.id)
            .join(Program, Program.id == Account.program_id)
        )
        found: dict[object, object] = {(member, slug): tuple(held) for member, slug, *held in accounts}
        lots = session.execute(
            select(Member.public_id, Program.slug, Lot.pending, Lot.expires_at, func.sum(Lot.remaining))
            .join(Account, Account.id == Lot.account_id)
            .join(Member, Member.id == Account.member_id)
            .join(Program, Program.id == Account.program_id)
            .where(Lot.remaining > 0)
            .group_by(Member.public_id, Program.slug, Lot.pending, Lot.expires_at)
        )
        found |= {("lots", *names): left for *names, left in lots}
        live = (
            select(Member.public_id, Coupon.reward_id, func.count())
            .join(Coupon, Coupon.member_id == Member.id)
            .where(Coupon.source_kind.in_(("fill", "issue")), Coupon.state == "issued")
            .group_by(Member.public_id, Coupon.reward_id)
        )
        found |= {("coupons", *names): count for *names, count in session.execute(live)}
        cards = (
            select(Member.public_id, func.count(), func.sum(GiftCard.balance_cents))
            .select_from(GiftCard)
            .outerjoin(Member, Member.id == GiftCard.member_id)
            .where(GiftCard.state == "active")
            .group_by(Member.public_id)
        )
        found |= {("gift cards", name): tuple(held) for name, *held in session.execute(cards)}
        owed = (
            select(Purchase.receipt, SettlementFact.kind, SettlementFact.outlet_id, func.sum(SettlementFact.cents))
            .join(Purchase, Purchase.id == SettlementFact.purchase_id)
            .where(Purchase.receipt.like("B-%"))
            .group_by(Purchase.receipt, SettlementFact.kind, SettlementFact.outlet_id)
        )
        facts = {("owed", *names): cents for *names, cents in session.execute(owed)}
        assert any(facts.values())
        found |= facts
        sales = session.scalar(select(func.count(Purchase.id)).where(Purchase.receipt.like("B-%")))
        return {**found, "rows": (sales, session.scalar(select(func.count(Refund.id))))}
