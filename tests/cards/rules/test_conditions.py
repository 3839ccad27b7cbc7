"""Conditions: which let a rule count, and which reason is told when it does not."""

from typing import Any

import pytest

from app.cards.rules import Line
from tests.programs import a_rule, award, given, local, per_amount, percent

ESPRESSO, LATTE, MUG = Line("espresso", "coffee", 2, 700), Line("latte", "coffee", 1, 450), Line("mug", "mugs", 1, 1200)


def one(when: dict[str, Any], **facts: Any) -> tuple[int, str]:
    """Return what a rule of one stamp with a condition gives, and its reason."""
    outcome = given(a_rule("one", award(1, base=True), when=when), **facts)
    return outcome.amount, outcome.reason


@pytest.mark.parametrize(
    ("when", "holds", "fails", "reason"),
    [
        ({"min_cents": 1000}, {"due_cents": 1000}, {"due_cents": 999}, "below_minimum"),
        ({"max_cents": 1000}, {"due_cents": 1000}, {"due_cents": 1001}, "above_maximum"),
        ({"outlets": ["a", "b"]}, {"outlet": "b"}, {"outlet": "c"}, "not_here"),
        ({"resellers": ["r"]}, {"reseller": "r"}, {"reseller": "s"}, "not_here"),
        ({"chains": ["k"]}, {"chain": "k"}, {}, "not_here"),
        ({"channels": ["web"]}, {"channel": "web"}, {"channel": "kiosk"}, "not_in_this_channel"),
        ({"member_kinds": ["company"]}, {"member_kind": "company"}, {}, "not_for_you"),
        ({"tiers": ["gold"]}, {"tier": "gold"}, {"tier": "silver"}, "not_for_you"),
        ({"birthday_month": True}, {"birthday_month": True}, {}, "not_birthday_month"),
        ({"lines": {"skus": ["mug"]}}, {"lines": (MUG,)}, {"lines": (LATTE,)}, "no_such_item"),
        ({"lines": {"groups": ["coffee"]}}, {"lines": (LATTE,)}, {"lines": ()}, "no_such_item"),
        ({"lines": {"skus": ["mug"], "groups": ["coffee"]}}, {"lines": (LATTE,)}, {"lines": ()}, "no_such_item"),
        (
            {"lines": {"groups": ["coffee"], "min_quantity": 3}},
            {"lines": (ESPRESSO, LATTE)},
            {"lines": (ESPRESSO, MUG)},
            "too_few_items",
        ),
        (
            {"lines": {"groups": ["coffee"], "min_cents": 701}},
            {"lines": (ESPRESSO, LATTE)},
            {"lines": (ESPRESSO, MUG)},
            "below_minimum_of_items",
        ),
        ({"weekdays": ["sat"]}, {"at": local(2026, 11, 21)}, {"at": local(2026, 11, 20, 23, 59, 59)}, "no_rule_today"),
        ({"from": "2026-12-01"}, {"at": local(2026, 12, 1)}, {"at": local(2026, 11, 30, 23, 59, 59)}, "no_rule_today"),
        ({"until": "2026-12-01"}, {"at": local(2026, 12, 1, 23, 59, 59)}, {"at": local(2026, 12, 2)}, "no_rule_today"),
    ],
)
def test_condition_lets_its_rule_count_and_says_when_it_does_not(
    when: dict[str, Any], holds: dict[str, Any], fails: dict[str, Any], reason: str
) -> None:
    assert one(when, **holds) == (1, "")
    assert one(when, **fails) == (0, reason)


@pytest.mark.parametrize(
    ("at", "amount"),
    [
        (local(2026, 11, 20, 21, 59, 59), 0),  # Friday, too early
        (local(2026, 11, 20, 22), 1),
        (local(2026, 11, 21, 1, 59, 59), 1),  # Saturday by the calendar, Friday's evening
        (local(2026, 11, 21, 2), 0),
        (local(2026, 11, 20, 1), 0),  # Friday by the calendar, Thursday's evening
        (local(2026, 11, 21, 23), 0),
    ],
)
def test_hours_across_midnight_belong_to_their_evening(at: Any, amount: int) -> None:
    friday = {"weekdays": ["fri"], "hours": {"from": "22:00", "to": "02:00"}}

    assert one(friday, at=at)[0] == amount


@pytest.mark.parametrize(("at", "amount"), [((7, 59, 59), 0), ((8, 0), 1), ((9, 59, 59), 1), ((10, 0), 0)])
def test_hours_include_their_first_minute_and_not_their_last(at: tuple[int, ...], amount: int) -> None:
    assert one({"hours": {"from": "08:00", "to": "10:00"}}, at=local(2026, 11, 18, *at))[0] == amount


@pytest.mark.parametrize("fold", [0, 1])
def test_hour_that_comes_twice_in_autumn_counts_both_times(fold: int) -> None:
    assert one({"hours": {"from": "03:00", "to": "04:00"}}, at=local(2026, 10, 25, 3, 30, fold=fold)) == (1, "")


def test_rule_that_lacks_least_is_the_reason_with_its_figures() -> None:
    # 3.40: 0.60 short of a stamp; 6.60 short of the minimum of the other; the third asks for gold and for Saturday.
    rules = (
        a_rule("gold", award(9), when={"tiers": ["gold"], "weekdays": ["sat"]}, stack="gold"),
        a_rule("ten", award(1), when={"min_cents": 1000}, stack="ten"),
        a_rule("fours", per_amount(400)),
    )

    nearest, second, last = given(*rules, due_cents=340), given(*rules[:2], due_cents=340), given(rules[0])

    assert (nearest.reason, nearest.values) == (
        "below_one_step",
        {"missing_cents": 60, "step_cents": 400, "rule": "fours"},
    )
    assert (second.reason, second.values) == (
        "below_minimum",
        {"min_cents": 1000, "missing_cents": 660, "rule": "ten"},
    )
    assert last.reason == "not_for_you"


def test_shortest_way_to_a_stamp_is_told_of_two() -> None:
    rules = (a_rule("tens", per_amount(1000), stack="a"), a_rule("fives", per_amount(500), stack="b"))

    assert given(*rules, due_cents=430).values["missing_cents"] == 70


@pytest.mark.parametrize(("bp", "cents", "missing"), [(250, 19, 1), (250, 1, 19), (100, 10, 40), (10_000, 0, 0)])
def test_bonus_below_half_a_cent_says_what_the_first_cent_needs(bp: int, cents: int, missing: int) -> None:
    # 2.5 % reach half a cent at 0.20; 1 % at 0.50.
    outcome = given(a_rule("bonus", percent(bp)), kind="bonus", due_cents=cents)

    assert outcome.reason == ("below_one_step" if cents else "nothing_paid")
    assert outcome.values.get("missing_cents", 0) == missing
    if missing:
        assert given(a_rule("bonus", percent(bp)), kind="bonus", due_cents=cents + missing).amount == 1


def test_rate_that_begins_later_says_how_much_is_missing() -> None:
    ladder = {"period": "quarter", "steps": [{"from_cents": 10_000, "bp": 200}]}

    outcome = given(a_rule("bonus", percent(0, ladder=ladder)), kind="bonus", period_cents={"quarter": 9000})

    assert (outcome.amount, outcome.reason, outcome.values["missing_cents"]) == (0, "no_rate_yet", 1000)


def test_event_that_no_rule_hears_says_so() -> None:
    assert given(a_rule(), trigger="survey_answered", due_cents=0).reason == "no_rule"
