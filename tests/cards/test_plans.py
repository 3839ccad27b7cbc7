"""A phone that polls and a till that books look at a member's rows, never at the brand's, as SQLite's plans say."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta

import pytest
from flask import Flask, g
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import by_hand, expiry, flags, judging, merge, refunds, serial, story, tiers, triggers, views
from app.cards.limits import Limits
from app.cards.models import ProgramVersion
from app.core import clock
from app.core.db import Database
from app.doors.member import card
from app.doors.till import results
from app.ledger import service as ledger
from app.ledger.models import Purchase
from app.members import lookup
from app.members.models import Member
from app.network import tills
from app.network.models import Brand, Till
from app.rewards import offers
from app.rewards import service as rewards
from app.rewards.offer_models import Offer
from tests.builders import NO_LIMITS, a_brand, a_member
from tests.cards.kinds import a_plan
from tests.cards.strict import a_worker, own_card, sell, set_limits
from tests.ledger.card import a_card, day
from tests.plans import statements
from tests.shop import Shop, a_shop

BIG = (
    "account", "purchase", "refund", "ledger_entry", "coupon", "redemption", "member", "award", "lot",
    "lot_allocation", "contact", "staff", "manual_stamp", "reward_issue", "flag", "trigger_run",
)  # fmt: skip


@pytest.fixture
def brand_id(sqlite: Database) -> int:
    """A brand with one member that absorbed another, a redeemed coupon and a refund."""
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        shop = a_shop(session)
        ladder = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 250}]}
        rate = {"name": "rate", "then": [{"do": "percent", "bp": 100, "ladder": ladder}]}
        a_plan(session, "bonus", {"rules": [rate]}, slug="ladder")
        first = {"name": "first", "on": "first_purchase", "then": [{"do": "award", "n": 1}]}
        a_plan(session, "visits", {"rules": [first]})
        filled = shop.buy(8000)
        rewards.redeem(session, filled.coupons[0].code, till=shop.till, purchase_id=filled.purchase_id)
        newcomer = a_member(session)
        shop.refund(shop.buy(400, member=newcomer))
        merge.absorb(session, newcomer, into=shop.member)
        shop.buy(400)
    return brand_id


def a_sale(shop: Shop) -> object:
    return shop.buy(4000)


def a_story(shop: Shop) -> object:
    assert len(lookup.family(shop.session, shop.member.id)) == 2
    return story.story(shop.session, shop.member.id)


def a_poll_of_the_card(shop: Shop) -> object:
    return card.version(shop.session, shop.member)


def the_uses_of_coupons(shop: Shop) -> object:
    return rewards.uses(shop.session, [view.coupon.id for view in rewards.of_member(shop.session, shop.member.id)])


def the_last_sale(shop: Shop) -> object:
    g.place = tills.till_place(shop.session, shop.till.id)
    return results.last(shop.session, till_id=shop.till.id)


def a_quote(shop: Shop) -> object:
    return ledger.balances(shop.session, shop.member.id)


def all_cards(shop: Shop) -> object:
    return views.cards(shop.session, shop.member.id)


def a_sale_whose_rules_look_back(shop: Shop) -> object:
    return shop.buy(300)


def a_merge(shop: Shop) -> object:
    newcomer = a_member(shop.session, state="provisional")
    shop.buy(400, member=newcomer)
    shop.session.execute(update(ProgramVersion).values(valid_from=clock.now() + timedelta(days=1)))
    return merge.absorb(shop.session, newcomer, into=shop.member)


def a_sale_to_staff_within_limits(shop: Shop) -> object:
    set_limits(shop, **asdict(Limits()))
    me = own_card(shop)
    sold = sell(shop, cashier=me.public_id, offline=True)
    assert sold.awards[0].reason == "own_card"
    return sell(shop, 40_000, offline=True)


def stamps_by_hand(shop: Shop) -> object:
    set_limits(shop, **asdict(Limits()))
    cashier = a_worker(shop, "elli@kulma.example")
    return [by_hand.stamp(shop.session, shop.member, till=shop.till, program="coffee", wanted=2,
        cashier=cashier.public_id, reason="goodwill") for _time in range(2)][1].reason  # fmt: skip


def what_a_rule_gives_beside_purchases(shop: Shop) -> object:
    answer = {"name": "answer", "on": "survey_answered",
              "then": [{"do": "award", "n": 7}, {"do": "issue", "reward": "bun"}]}  # fmt: skip
    a_plan(shop.session, "points", {"rules": [answer]})
    triggers.trigger(shop.session, shop.member, "survey_answered", 1)
    story.story(shop.session, shop.member.id)
    return triggers.take_back(shop.session, shop.member, "survey_answered", 1)


ACTS = [
    what_a_rule_gives_beside_purchases,
    a_sale_to_staff_within_limits,
    stamps_by_hand,
    a_sale,
    a_story,
    all_cards,
    a_poll_of_the_card,
    the_uses_of_coupons,
    the_last_sale,
    a_quote,
    a_sale_whose_rules_look_back,
    a_merge,
]


@pytest.fixture(autouse=True)
def _at_a_door(sqlite: Database, brand_id: int) -> Iterator[None]:
    """Let the doors' pages know their brand."""
    with Flask(__name__).test_request_context(), sqlite.reading(brand_id) as session:
        g.brand = session.get_one(Brand, brand_id)
        yield


def on_the_member(session: Session) -> Shop:
    first = session.get_one(Purchase, 1)
    till = session.get_one(Till, first.till_id)
    return Shop(session, session.get_one(Member, first.member_id), till, till)


@pytest.mark.parametrize("act", ACTS)
def test_no_statement_walks_the_brands_rows(sqlite: Database, brand_id: int, act: Callable[[Shop], object]) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        with statements(sqlite, *BIG) as found:
            assert act(shop)

    assert found.said
    assert found.walks == []


def test_no_statement_of_a_refund_walks_the_brands_rows(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        bought = session.get_one(Purchase, 1)
        with statements(sqlite, *BIG) as found:
            refunds.refund(session, bought, till=shop.till)
            assert refunds.refund(session, bought, till=shop.till).repeated

    assert found.walks == []


def test_no_statement_of_judging_walks_the_brands_rows(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        set_limits(shop, **asdict(Limits()))
        judge, cashier = a_worker(shop, "iida@meri.example", role="finance"), a_worker(shop, "elli@kulma.example")
        sell(shop, 40_000, offline=True)
        for _time in range(2):
            by_hand.stamp(session, shop.member, till=shop.till, program="coffee", wanted=2, cashier=cashier.public_id,
                reason="goodwill")  # fmt: skip
        with statements(sqlite, *BIG, *"laebr") as found:
            views = flags.waiting(session, most=9)
            assert {view.flag.kind for view in views} == {"needs_approval", "limit_manual_day"}
            assert [judging.approve(session, view.flag, by=judge) for view in views] == [True, True]
            assert len(flags.judged(session, most=9)) == 2

    assert found.walks == []


def test_limits_that_are_off_ask_nothing(sqlite: Database, brand_id: int) -> None:
    asked = {}
    for name, limits in {"off": NO_LIMITS, "on": {"purchases_outlet_day": 50, "purchases_day": 50}}.items():
        with sqlite.unit(brand_id) as session:
            shop = on_the_member(session)
            session.get_one(Brand, brand_id).limits = limits
            session.flush()
            sell(shop, 399)  # the first sale of a member opens the accounts
            with statements(sqlite) as found:
                sell(shop, 399)
        asked[name] = (found.count("FROM contact"), found.count("here_latitude"), len(found.said))

    assert (asked["off"][:2], asked["on"][:2]) == ((0, 0), (1, 1))
    assert asked["on"][2] == asked["off"][2] + 2


def test_jobs_of_lots_look_at_what_is_due(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        card = a_card(session)
        card.earn(2, 10)
        card.earn(3, pending=10)
        with statements(sqlite, *BIG, *"lae") as found:
            assert (expiry.expire_due(session, now=day(11)), expiry.release_due(session, now=day(11))) == (1, 1)

    assert found.walks == []


def test_reversed_spend_looks_at_its_own_lots(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        card = a_card(session)
        card.earn(5, 10)
        taken = card.refund(7)  # two are owed
        with statements(sqlite, *BIG, *"laebr") as found:
            card.put_back(7, taken)

    assert found.walks == []


def test_tiers_look_at_the_rows_of_their_member_and_at_what_ended(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        a_plan(session, "standing", {"tiers": [{"slug": "silver", "from_cents": 8700}]})
        with statements(sqlite, *BIG, "tier_hold", "tier_change", *"prw") as found:
            bought = shop.buy(400)  # 84.00 of before and 4.00
            assert tiers.held(session, shop.member.id, clock.now())
            shop.refund(bought)
            tiers.settle_due(session, now=clock.now())

    assert found.count("FROM tier_change") == 3  # the sale, the refund, the job
    assert [walk for walk in found.walks if "FROM program p" not in walk] == []  # which is short, and another p


def test_serial_cards_and_offers_look_at_the_rows_of_their_member(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        a_plan(session, "serial_card", {"uses": 2, "price_cents": 100, "valid_months": 1})
        session.add(Offer(slug="bun", name={"en": "Bun"}, price_cents=100, per_day=1))
        session.flush()
        with statements(
            sqlite, *BIG, "serial_card", "serial_use", "offer_use", "settlement_fact", "refund_line"
        ) as found:
            sold = serial.sell(
                session, "serial-card", member=shop.member, till=shop.till, receipt="S-1", at=clock.now()
            )
            used = serial.use(session, "serial-card", member_id=shop.member.id, till=shop.till, uses=2)
            serial.reverse(session, used.rows[0][0].public_id, till=shop.till)
            serial.refund(session, sold.card.public_id, till=shop.till)
            assert offers.offers_for(session, shop.member.id, shop.till.outlet_id, clock.now(), tiers=())

    assert found.walks == []


def test_newest_sale_of_a_till_is_the_end_of_an_index(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session:
        shop = on_the_member(session)
        with statements(sqlite, "purchase") as found:
            the_last_sale(shop)

    assert "SEARCH purchase USING INDEX ix_purchase_till (brand_id=? AND till_id=?)" in found.steps
    assert not any(step.startswith("USE TEMP B-TREE FOR ORDER BY") for step in found.steps[:2])


def test_walk_is_told_when_there_is_one(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session, statements(sqlite, *BIG) as found:
        session.scalars(select(Purchase).order_by(Purchase.id)).all()

    assert len(found.walks) == 1


def test_uses_of_no_coupon_and_balances_of_no_refund_ask_nothing(sqlite: Database, brand_id: int) -> None:
    with sqlite.unit(brand_id) as session, statements(sqlite) as found:
        assert (rewards.uses(session, []), story._taken(session, [])) == ({}, {})

    assert found.said == []


def test_refund_reads_the_open_fills_once_however_many_it_undoes(sqlite: Database) -> None:
    with sqlite.unit(a_brand(sqlite, "kuu")) as session:
        shop = a_shop(session)
        bought = shop.buy(80_000)  # twenty cards
        with statements(sqlite) as found:
            result = shop.refund(bought)

    assert [(line.fills_undone, line.balance) for line in result.reversed] == [(20, 0)]
    assert found.count("SELECT ledger_entry.id, ledger_entry.amount") == 2  # of coupons, of gift cards
