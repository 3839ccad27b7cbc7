"""What rules give beside purchases: once for each source, told in the story, and taken back once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import by_hand, due, granting, merge, service, story, tiers, triggers
from app.cards.events import MessageAsked
from app.cards.models import TriggerRun
from app.core import clock
from tests.builders import a_member
from tests.cards.club import PLAN as TIERS
from tests.cards.kinds import a_plan, holds
from tests.cards.strict import a_worker
from tests.shop import Shop, a_basket


def beside(on: str, *then: dict[str, Any], name: str = "gift", **more: Any) -> dict[str, Any]:
    """Build a rule that waits for something else than a purchase: 50 units unless it says what it gives."""
    return {"name": name, "on": on, "then": list(then) or [{"do": "award", "n": 50}], "stack": name, **more}


BUN = {"do": "issue", "reward": "bun"}


def test_source_gives_units_rewards_and_a_tier_once_and_the_story_says_for_what(bare_shop: Shop) -> None:
    shop = bare_shop
    a_plan(shop.session, "standing", TIERS)
    gift = beside("survey_answered", {"do": "award", "n": 50}, BUN, {"do": "set_tier", "tier": "silver"})
    program = a_plan(shop.session, "points", {"rules": [gift]})

    (given,) = triggers.trigger(shop.session, shop.member, "survey_answered", 7)
    again = triggers.trigger(shop.session, shop.member, "survey_answered", 7)

    assert (given.line.amount, given.line.balance, len(given.rewards), again) == (50, 50, 1, [])
    assert (holds(shop, program), shop.states(), len(tiers.held(shop.session, shop.member.id, clock.now()))) == (
        (50, 0), ["issued"], 1,
    )  # fmt: skip
    told = [(line.kind, line.reasons) for line in story.story(shop.session, shop.member.id)]
    assert sorted(told) == [("coupon_issued", ("For your answers",)), ("earned", ("For your answers",))]


def test_what_a_source_gave_is_taken_back_once_and_what_was_used_stays(bare_shop: Shop) -> None:
    shop = bare_shop
    a_plan(shop.session, "standing", TIERS)
    gift = beside("survey_answered", {"do": "award", "n": 50}, BUN, {"do": "set_tier", "tier": "silver"})
    plan = {"rules": [gift], "thresholds": [{"at": 40, "reward": "cup"}]}
    program = a_plan(shop.session, "points", plan)
    triggers.trigger(shop.session, shop.member, "survey_answered", 7)

    done = [triggers.take_back(shop.session, shop.member, "survey_answered", 7) for _time in range(2)]

    assert done == [True, False]
    assert (holds(shop, program), set(shop.states())) == ((0, 0), {"revoked"})
    assert tiers.held(shop.session, shop.member.id, clock.now()) == []
    assert triggers.trigger(shop.session, shop.member, "survey_answered", 7) == []
    (taken,) = [line for line in story.story(shop.session, shop.member.id) if line.kind == "adjusted"]
    assert (taken.gains[0].amount, taken.reasons) == (-50, ("Taken back: For your answers",))


def test_source_of_a_merged_card_counts_for_the_one_that_stays(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_plan(shop.session, "points", {"rules": [beside("survey_answered")]})
    newcomer = a_member(shop.session)
    triggers.trigger(shop.session, newcomer, "survey_answered", 7)

    merge.absorb(shop.session, newcomer, into=shop.member)

    assert triggers.trigger(shop.session, shop.member, "survey_answered", 7) == []
    assert triggers.take_back(shop.session, newcomer, "survey_answered", 7)
    assert holds(shop, program) == (0, 0)


def test_limit_of_a_rule_cuts_and_the_story_says_why(bare_shop: Shop) -> None:
    shop = bare_shop
    rule = beside("survey_answered", limit={"member": {"ever": 1}}, label={"en": "Thanks for answering"})
    program = a_plan(shop.session, "points", {"rules": [rule]})

    given = [triggers.trigger(shop.session, shop.member, "survey_answered", number)[0] for number in (1, 2)]

    assert [(one.line.amount, one.line.reason) for one in given] == [(50, ""), (0, "limit_member_ever")]
    assert holds(shop, program) == (50, 0)
    gains = {line.gains[0].amount: line.reasons for line in story.story(shop.session, shop.member.id)}
    assert gains[50] == ("Thanks for answering",)
    assert gains[0][0] == "Thanks for answering"
    assert "once for each member" in gains[0][1]


def test_purchase_hears_only_its_own_rules_and_a_first_purchase_gives_within_its_plan(bare_shop: Shop) -> None:
    shop = bare_shop
    rules = [
        {"name": "euro", "then": [{"do": "per_amount", "cents": 100, "n": 1}]},
        beside("first_purchase", name="first"),
        beside("survey_answered"),
    ]
    a_plan(shop.session, "points", {"rules": rules})

    bought = [shop.buy(500).awards[0].amount for _time in range(2)]

    assert bought == [55, 5]
    assert shop.session.scalars(select(TriggerRun)).all() == []


def reaching(at: int, *then: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Build points for euros and a rule that a balance sets off."""
    euro = {"name": "euro", "then": [{"do": "per_amount", "cents": 100, "n": 1}]}
    return {"rules": [euro, beside("threshold_reached", *then, at=at)], **more}


def test_balance_that_is_reached_sets_a_rule_off_once_in_the_quote_and_in_the_sale(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_plan(shop.session, "points", reaching(10, {"do": "award", "n": 5}, BUN))
    basket = a_basket(1000)

    told = service.quote(shop.session, basket, member_id=shop.member.id, till=shop.till)
    bought = shop.buy(1000)
    shop.buy(1000)

    shown = [[(line.amount, line.balance, line.rule) for line in one.awards] for one in (told, bought)]
    assert shown == [[(10, 10, "euro"), (5, 15, "gift")]] * 2
    assert (holds(shop, program), shop.states(), len(bought.coupons)) == ((25, 0), ["issued"], 1)
    told_of = [line.reasons for line in story.story(shop.session, shop.member.id) if line.kind == "earned"]
    assert told_of == [("For what you have reached",)]


def test_refund_below_the_balance_takes_back_what_it_had_set_off_and_it_can_be_reached_again(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_plan(shop.session, "points", reaching(10, {"do": "award", "n": 5}, BUN))
    bought = shop.buy(1000)

    first, again = shop.refund(bought), shop.refund(bought)

    assert (holds(shop, program), shop.states()) == ((0, 0), ["revoked"])
    assert again.reversed == first.reversed
    shop.buy(1200)
    assert (holds(shop, program), shop.states()) == ((17, 0), ["revoked", "issued"])


def test_count_that_begins_anew_sets_the_rule_off_in_each_round(bare_shop: Shop) -> None:
    shop = bare_shop
    plan = reaching(10, thresholds=[{"at": 20, "reward": "cup"}], repeats=True)
    plan["rules"][1]["then"] = [{"do": "award", "n": 12}]
    program = a_plan(shop.session, "points", plan)

    balances = [shop.buy(cents).awards[-1].balance for cents in (900, 100, 300, 900)]

    # 9; 10 + 12 fill the first round and leave 2; 5; 14 + 12 fill the second and leave 6.
    assert balances == [9, 2, 5, 6]
    assert holds(shop, program) == (6, 0)
    assert shop.states() == ["issued"] * 2


def test_stamps_by_hand_set_a_rule_off_too(bare_shop: Shop) -> None:
    shop = bare_shop
    plan = reaching(10)
    plan["rules"][1]["limit"] = {"member": {"ever": 1}}
    program = a_plan(shop.session, "points", plan)
    cashier = a_worker(shop, "elli@kulma.example")

    given = by_hand.stamp(
        shop.session, shop.member, till=shop.till, program="points", wanted=10, cashier=cashier.public_id,
        reason="goodwill",
    )  # fmt: skip

    assert holds(shop, program) == (60, 0)
    assert given.balance == 60


def golden(shop: Shop, **when: Any) -> Callable[[str, str], None]:
    """Let a tier that is reached bring a bun; return what the job does that hears of a tier's change by a refund."""
    evening = beside("threshold_reached", BUN, when=when)
    program = a_plan(shop.session, "standing", {**TIERS, "rules": [evening]})

    def told(was: str, tier: str) -> None:
        due.tier_changed(shop.session, shop.member, program_id=program.id, was=was, tier=tier, reason="refund")

    return told


def test_refund_takes_back_the_gift_of_this_year_and_not_of_earlier_ones(bare_shop: Shop) -> None:
    shop, told = bare_shop, golden(bare_shop)
    with clock.moved(by=timedelta(days=-800)):
        shop.buy(160_000)
        told("", "gold")
    bought = shop.buy(160_000)
    told("", "gold")
    shop.refund(bought)
    told("gold", "")

    assert shop.states() == ["issued", "revoked"]


def test_job_that_hears_of_a_tier_after_its_refund_gives_nothing(bare_shop: Shop) -> None:
    shop, told = bare_shop, golden(bare_shop)
    shop.refund(shop.buy(160_000))

    told("gold", "")
    told("", "gold")  # it was tried again

    assert shop.states() == []


def test_tier_that_is_reached_gives_once_a_year_and_a_refund_takes_it_back(bare_shop: Shop) -> None:
    shop, told = bare_shop, golden(bare_shop, tiers=["gold"])

    shop.buy(60_000)
    told("", "silver")
    assert shop.states() == []  # the rule is about gold
    bought = shop.buy(100_000)
    told("silver", "gold"), told("silver", "gold")
    assert shop.states() == ["issued"]
    shop.refund(bought)
    told("gold", "silver")
    assert shop.states() == ["revoked"]
    shop.buy(100_000)
    told("silver", "gold")

    assert shop.states() == ["revoked", "issued"]


def test_rule_that_sends_a_message_asks_for_it_with_the_purchase_and_beside_it(
    bare_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = bare_shop
    asked: list[str] = []
    monkeypatch.setattr(
        granting, "emit", lambda _session, event: asked.extend([event.key] if isinstance(event, MessageAsked) else [])
    )
    hello, thanks = ({"do": "message", "key": key} for key in ("hello", "thanks"))
    rules = [{"name": "bought", "then": [hello]}, beside("survey_answered", thanks)]
    a_plan(shop.session, "points", {"rules": rules})

    shop.buy(500)
    for _time in range(2):
        triggers.trigger(shop.session, shop.member, "survey_answered", 1)

    assert asked == ["hello", "thanks"]
