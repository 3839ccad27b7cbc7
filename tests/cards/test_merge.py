"""Two members become one: nothing that was earned is lost, and both codes work."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cards import merge
from app.cards.models import ProgramVersion
from app.core import clock
from app.ledger.models import Account
from app.members import lookup
from app.members.models import Member
from app.rewards import service as rewards
from tests.builders import a_member
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop


def a_newcomer(shop: Shop) -> Member:
    return a_member(shop.session, state="provisional")


def absorb(shop: Shop, newcomer: Member) -> Member:
    return merge.absorb(shop.session, newcomer, into=shop.member)


def test_balances_are_added_by_transfers_that_cancel_out(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    shop.buy(1200), shop.buy(800, member=newcomer)

    kept = absorb(shop, newcomer)

    assert (kept.id, shop.balance(), shop.balance(newcomer)) == (shop.member.id, 5, 0)
    assert shop.entries()[-2:] == [("transfer", -2), ("transfer", 2)]


def test_merge_may_fill_the_card(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    shop.buy(2800), shop.buy(2000, member=newcomer)

    absorb(shop, newcomer)

    assert (shop.balance(), shop.states()) == (2, ["issued"])


def test_debt_moves_too(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    bought = shop.buy(4000, member=newcomer)
    rewards.redeem(shop.session, bought.coupons[0].code, till=shop.far_till)
    shop.refund(bought)
    shop.buy(1200)

    absorb(shop, newcomer)

    assert (shop.balance(), shop.balance(newcomer)) == (-7, 0)


def test_coupons_move_and_work(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    coupon = shop.buy(4000, member=newcomer).coupons[0]

    absorb(shop, newcomer)

    rewards.redeem(shop.session, coupon.code, till=shop.far_till)
    assert (shop.states(), shop.states(newcomer)) == (["redeemed"], [])


def test_both_codes_lead_to_the_member_that_stays(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    old = [lookup.codes_of(shop.session, member.id).code for member in (newcomer, shop.member)]

    absorb(shop, newcomer)
    shop.buy(400, member=newcomer)  # a till that scanned the old code a moment ago

    found = [lookup.find_by_code(shop.session, code) for code in old]
    assert [member.id for member in found if member] == [shop.member.id, shop.member.id]
    assert (shop.balance(), shop.balance(newcomer)) == (1, 0)


def test_refund_of_a_purchase_made_before_the_merge_takes_from_the_member_that_stays(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    shop.buy(400)
    bought = shop.buy(4800, member=newcomer)  # fills the newcomer's card, 2 left

    absorb(shop, newcomer)
    result = shop.refund(bought)

    assert (result.reversed[0].balance, result.reversed[0].fills_undone) == (1, 1)
    assert (shop.balance(), shop.balance(newcomer), shop.states()) == (1, 0, ["revoked"])


def test_merging_again_or_back_changes_nothing(shop: Shop) -> None:
    newcomer = a_newcomer(shop)
    shop.buy(800, member=newcomer)
    absorb(shop, newcomer)
    before = shop.entries()

    absorb(shop, newcomer)
    merge.absorb(shop.session, shop.member, into=newcomer)

    assert (shop.entries(), shop.balance(), shop.member.state) == (before, 2, "confirmed")


def test_two_merges_in_a_row_bring_everything_to_the_last(shop: Shop) -> None:
    first, second = a_newcomer(shop), a_newcomer(shop)
    shop.buy(400, member=first), shop.buy(800, member=second)

    merge.absorb(shop.session, first, into=second)
    absorb(shop, second)
    shop.buy(1200, member=first)

    assert shop.balance() == 6
    total = shop.session.scalars(select(Account.balance)).all()
    assert sorted(total) == [0, 0, 6]


def test_limits_and_thresholds_remember_what_the_newcomer_had(bare_shop: Shop) -> None:
    once = {"name": "hello", "then": [{"do": "award", "n": 50, "base": True}], "limit": {"member": {"ever": 1}}}
    points = a_plan(bare_shop.session, "points", {"rules": [once], "thresholds": [{"at": 50, "reward": "bun"}]})
    newcomer = a_newcomer(bare_shop)
    assert len(bare_shop.buy(100, member=newcomer).coupons) == 1

    absorb(bare_shop, newcomer)
    again = bare_shop.buy(100)

    assert [(line.amount, line.reason) for line in again.awards] == [(0, "limit_member_ever")]
    assert (again.coupons, holds(bare_shop, points)) == ([], (50, 0))


@pytest.mark.parametrize("fills", [False, True])
def test_what_was_collected_in_a_program_without_a_version_of_now_moves_too(shop: Shop, fills: bool) -> None:
    newcomer = a_newcomer(shop)
    shop.buy(2800 if fills else 800, member=newcomer)
    shop.buy(1200)
    for version in shop.session.scalars(select(ProgramVersion)):
        version.valid_from = clock.now() + timedelta(days=1)  # only planned by now

    absorb(shop, newcomer)

    # 7 + 3 stamps are a full card, 2 + 3 are none.
    assert (shop.balance(), shop.balance(newcomer), shop.states()) == ((0, 0, ["issued"]) if fills else (5, 0, []))


def test_first_purchase_is_none_when_the_newcomer_has_bought(bare_shop: Shop) -> None:
    welcome = {"name": "welcome", "on": "first_purchase", "then": [{"do": "award", "n": 50}]}
    points = a_plan(bare_shop.session, "points", {"rules": [welcome]})
    newcomer = a_newcomer(bare_shop)
    bare_shop.buy(100, member=newcomer)

    absorb(bare_shop, newcomer)
    bare_shop.buy(100)

    assert holds(bare_shop, points) == (50, 0)


def test_todays_visit_of_the_newcomer_counts(bare_shop: Shop) -> None:
    visits = a_plan(bare_shop.session, "visits", {"rules": [{"name": "visit", "then": [{"do": "award", "n": 1}]}]})
    newcomer = a_newcomer(bare_shop)
    bare_shop.buy(100, member=newcomer)

    absorb(bare_shop, newcomer)
    again = bare_shop.buy(100)

    assert [(line.amount, line.reason) for line in again.awards] == [(0, "visited_today")]
    assert holds(bare_shop, visits) == (1, 0)


def test_ladder_remembers_what_the_newcomer_spent(bare_shop: Shop) -> None:
    ladder = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 250}]}
    rule = {"name": "bonus", "then": [{"do": "percent", "bp": 100, "ladder": ladder}]}
    a_plan(bare_shop.session, "bonus", {"rules": [rule]})
    newcomer, now = a_newcomer(bare_shop), clock.now()
    bare_shop.buy(30_000, member=newcomer, at=now - timedelta(seconds=2))
    bare_shop.buy(20_000, at=now - timedelta(seconds=1))

    absorb(bare_shop, newcomer)
    after = bare_shop.buy(10_000, at=now)

    assert after.awards[0].amount == 250  # 2.5 % of 100.00, since 300.00 and 200.00 were spent before


POINTS = {
    "rules": [{"name": "points", "then": [{"do": "per_amount", "cents": 100}]}],
    "thresholds": [{"at": 50, "reward": "bun"}, {"at": 100, "reward": "coffee"}],
}


def test_threshold_that_both_reach_together_gives_its_reward_once(bare_shop: Shop) -> None:
    points = a_plan(bare_shop.session, "points", POINTS)
    newcomer, another = a_newcomer(bare_shop), a_newcomer(bare_shop)
    bare_shop.buy(3000), bare_shop.buy(3100, member=newcomer), bare_shop.buy(3800, member=another)

    absorb(bare_shop, newcomer)  # 30 + 31: the bun

    assert (holds(bare_shop, points), bare_shop.states()) == ((61, 0), ["issued"])
    absorb(bare_shop, another)  # 99
    assert bare_shop.states() == ["issued"]
    assert len(bare_shop.buy(100).coupons) == 1  # 100: the coffee


def test_threshold_that_one_has_reached_gives_nothing_again(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "points", POINTS)
    newcomer = a_newcomer(bare_shop)
    bare_shop.buy(3000), bare_shop.buy(5100, member=newcomer)

    absorb(bare_shop, newcomer)  # 81; the newcomer's bun moves

    assert bare_shop.states() == ["issued"]


def test_rounds_of_a_merged_member_are_not_counted_again(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "points", {**POINTS, "repeats": True})
    newcomer = a_newcomer(bare_shop)
    # Two rounds and 40 of the third: two buns and two coffees. 10 of the first round wait at the other one.
    bare_shop.buy(24_000, member=newcomer)
    small = bare_shop.buy(1000)

    absorb(bare_shop, newcomer)  # 50 of the third round: its bun

    assert bare_shop.states() == ["issued"] * 5
    bare_shop.refund(small)  # 40: only the third bun goes
    assert sorted(bare_shop.states()) == ["issued"] * 4 + ["revoked"]
    assert [len(bare_shop.buy(cents).coupons) for cents in (1000, 5000, 5000)] == [1, 1, 1]  # bun, coffee, bun
