"""What rules give beside purchases: once for each source, told in the story, and taken back once."""

from typing import Any

from sqlalchemy import select

from app.cards import merge, story, tiers, triggers
from app.cards.models import TriggerRun
from app.core import clock
from tests.builders import a_member
from tests.cards.club import PLAN as TIERS
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop


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

    assert (given.amount, given.balance, len(given.rewards), again) == (50, 50, 1, [])
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

    assert [(one.amount, one.reason) for one in given] == [(50, ""), (0, "limit_member_ever")]
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
