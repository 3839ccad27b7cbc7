"""What a plan may hold: read from JSON, refused with a sentence where it cannot be."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.cards.rules import Shorthand, ladder_periods, needs_seed, parse
from tests.programs import a_plan, a_rule, award, per_amount, percent, times

SERIAL = {"uses": 10, "price_cents": 900, "valid_months": 12}
SILVER = {"slug": "silver", "from_cents": 1}
THRESHOLD = {"at": 2, "reward": "a"}
MESSAGE = {"do": "message", "key": "a"}
LINES = {"lines": {"groups": ["coffee"]}}
LADDER = {"period": "year", "steps": [{"from_cents": 5, "bp": 1}, {"from_cents": 5, "bp": 2}]}


@pytest.mark.parametrize(
    "shorthand",
    [
        {"per": "euros", "cents": 400, "award": 1},
        {"per": "purchase", "cents": 300, "award": 2},
        {"per": "purchase"},
    ],
)
def test_shorthand_is_a_plan_that_is_kept_in_long_form(shorthand: dict[str, Any]) -> None:
    plan = parse("stamp_card", shorthand)

    assert plan == parse("stamp_card", Shorthand.model_validate(shorthand).expanded())
    assert parse("stamp_card", plan.to_json()) == plan
    assert [rule["name"] for rule in plan.to_json()["rules"]] == [f"per-{shorthand['per']}"]


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("stamp_card", {}, "a stamp_card needs rules"),
        ("stamp_card", {"per": "euros"}, "each full 0 euros"),
        ("stamp_card", {"rules": [a_rule("r", percent(100))]}, "a stamp_card has no effect percent"),
        ("stamp_card", {"rules": [a_rule()], "thresholds": [{"at": 1, "reward": "a"}]}, "has no thresholds"),
        ("points", {"rules": [a_rule()], "release": {"months": [1]}}, "a points has no release"),
        ("points", {"rules": [a_rule()], "repeats": True}, "repeats needs thresholds"),
        (
            "points",
            {"rules": [a_rule()], "thresholds": [{"at": 2, "reward": "a"}, {"at": 2, "reward": "b"}]},
            "must rise",
        ),
        ("visits", {"rules": [a_rule("r", award(2), on="visit")]}, "a visit counts once"),
        ("visits", {"rules": [a_rule()]}, "no effect per_amount"),
        (
            "cash_back",
            {"rules": [a_rule("r", percent(10_000))]},
            "a cash_back needs repeats; a cash_back needs thresholds",
        ),
        ("serial_card", {**SERIAL, "rules": [a_rule()]}, "a serial_card has no rules"),
        ("serial_card", {"uses": 10}, "needs price_cents; a serial_card needs valid_months"),
        ("serial_card", {**SERIAL, "speed_steps": [{"within_days": 9, "credit_cents": 901}]}, "more than the price"),
        (
            "serial_card",
            {**SERIAL, "speed_steps": [{"within_days": 9, "credit_cents": 1}, {"within_days": 19, "credit_cents": 1}]},
            "fall in credit",
        ),
        ("standing", {"tiers": [SILVER, SILVER]}, "two tiers have one name"),
        ("standing", {"tiers": [{"slug": "silver"}]}, "either from_cents or from_visits"),
        ("stamp_card", {"rules": [a_rule(), a_rule()]}, "two rules have one name"),
        ("stamp_card", {"rules": [a_rule("Big Name")]}, "pattern"),
        ("stamp_card", {"rules": [a_rule("r", per_amount(400), on="join")]}, "nothing is paid on join"),
        (
            "stamp_card",
            {"rules": [a_rule("r", award(1), on="visit", when={"min_cents": 1})]},
            "nothing is paid on visit",
        ),
        ("stamp_card", {"rules": [a_rule("r", per_amount(400, of="lines"))]}, "needs lines among its conditions"),
        ("stamp_card", {"rules": [a_rule("r", times(20_000), times(30_000))]}, "one multiplier is enough"),
        (
            "stamp_card",
            {"rules": [a_rule("r", MESSAGE, limit={"budget": 5})]},
            "awards no number",
        ),
        (
            "stamp_card",
            {"rules": [a_rule("r", per_amount(2), award(5), limit={"budget": 5}), a_rule("rival")]},
            "needs a stack of its own",
        ),
        ("stamp_card", {"rules": [a_rule(when={"min_cents": 2, "max_cents": 1})]}, "no purchase could earn"),
        ("stamp_card", {"rules": [a_rule(when={"from": "2026-02-02", "until": "2026-02-01"})]}, "from is after until"),
        ("stamp_card", {"rules": [a_rule(when={"hours": {"from": "08:00", "to": "08:00"}})]}, "same minute"),
        ("stamp_card", {"rules": [a_rule(when={"hours": {"from": "8:00", "to": "24:00"}})]}, "pattern"),
        ("stamp_card", {"rules": [a_rule(when={"outlets": []})]}, "at least 1 item"),
        ("stamp_card", {"rules": [a_rule(when={"weather": "sunny"})]}, "Extra inputs are not permitted"),
        (
            "stamp_card",
            {"rules": [a_rule("r", {"do": "eval", "code": "1"})]},
            "any of the expected tags",
        ),
        ("stamp_card", {"rules": [a_rule("r", award(True))]}, "valid integer"),
        ("stamp_card", {"rules": [a_rule("r", per_amount(4.0))]}, "valid integer"),
        ("stamp_card", {"rules": [a_rule("r", times(10_000))]}, "greater than 10000"),
        (
            "stamp_card",
            {"rules": [a_rule("r", {"do": "surprise", "picks": [{"weight": 1, "n": 1, "reward": "a"}]})]},
            "not both",
        ),
        ("bonus", {"rules": [a_rule("r", percent(100, ladder=LADDER))]}, "ladder must rise"),
        ("bonus", {"rules": [a_rule("r", percent(10_001))]}, "less than or equal to 10000"),
        ("lottery", {"rules": [a_rule()]}, "stamp_card"),
    ],
)
def test_plan_that_cannot_be_meant_is_refused_with_a_sentence(kind: str, data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(kind, data)

    assert said in "; ".join(error["msg"] for error in refused.value.errors())


def test_everything_that_a_kind_does_not_allow_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        parse("stamp_card", {"rules": [a_rule("r", percent(1))], "release": {"months": [1]}, "uses": 3})

    assert refused.value.error_count() == 1
    assert all(word in refused.value.errors()[0]["msg"] for word in ("percent", "release", "uses"))


def test_plan_with_every_key_is_the_same_after_keeping_it_as_json() -> None:
    when = {
        **LINES,
        "min_cents": 1,
        "outlets": ["a"],
        "weekdays": ["mon"],
        "hours": {"from": "22:00", "to": "02:00"},
        "from": "2026-01-01",
        "until": "2026-12-31",
    }
    limit = {"member": {"day": 1, "ever": 5}, "first_n": 9, "budget": 100}
    data = {"rules": [a_rule("r", award(1), per_amount(100, of="lines"), when=when, limit=limit, label={"fi": "Ilta"})]}

    kept = parse("stamp_card", data).to_json()

    assert parse("stamp_card", kept) == parse("stamp_card", data)
    assert kept["rules"][0]["when"]["from"] == "2026-01-01"


def test_plan_says_which_figures_its_caller_must_bring() -> None:
    ladder = {"period": "quarter", "steps": [{"from_cents": 5, "bp": 100}]}
    surprise = {"do": "surprise", "picks": [{"weight": 1, "n": 1}]}
    plan = a_plan(a_rule("r", percent(1, ladder=ladder)), kind="bonus")

    assert (ladder_periods(plan), ladder_periods(a_plan())) == ({"quarter"}, set())
    assert (needs_seed(a_plan(a_rule("s", surprise))), needs_seed(plan)) == (True, False)
