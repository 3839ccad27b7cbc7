"""Worked examples of what plans give, computed by hand."""

import pytest

from app.cards.rules import Line, evaluate, parse
from tests.programs import a_plan, a_rule, award, given, local, per_amount, percent, some_facts, times

COFFEE, MUG = Line("espresso", "coffee", 2, 700), Line("mug-1", "mugs", 1, 1200)
CASH_BACK = {"thresholds": [{"at": 50_000, "reward": "gift-card"}], "repeats": True}
COFFEES = {"when": {"lines": {"groups": ["coffee"]}}}


@pytest.mark.parametrize(
    ("bp", "cents", "cent"),
    [
        (250, 100, 3),  # 2.5 % of 1.00 = 2.5 cents: half-even gives 2
        (250, 20, 1),  # 0.5 cents: half-even gives 0
        (250, 19, 0),  # 0.475 cents
        (250, 60, 2),  # 1.5 cents: half-even gives 2 as well
        (115, 1000, 12),  # 1.15 % of 10.00 = 11.5 cents
        (115, 3000, 35),  # 1.15 % of 30.00 = 34.5 cents: half-even gives 34
        (285, 1000, 29),  # 2.85 % of 10.00 = 28.5 cents: in floats 28.499…, so 28
        (575, 2200, 127),  # 5.75 % of 22.00 = 126.5 cents: in floats 126.499…, and half-even gives 126 too
        (10_000, 100_050, 100_050),  # all of it
    ],
)
def test_percent_rounds_half_up_where_floats_or_half_even_lose_a_cent(bp: int, cents: int, cent: int) -> None:
    assert given(a_rule("bonus", percent(bp)), kind="bonus", due_cents=cents).amount == cent


def test_two_stamps_at_15_euros_each_are_doubled_on_a_weekend() -> None:
    # 33.40 holds 15.00 twice: 2 stamps, and a doubling adds 2 more on a Saturday.
    rules = (a_rule("fifteen", per_amount(1500)), a_rule("weekend", times(20_000), when={"weekdays": ["sat", "sun"]}))

    saturday = given(*rules, due_cents=3340, at=local(2026, 11, 21, 12))
    friday = given(*rules, due_cents=3340, at=local(2026, 11, 20, 12))

    assert [(part.rule, part.phase, part.amount) for part in saturday.parts] == [
        ("fifteen", "base", 2),
        ("weekend", "multiplier", 2),
    ]
    assert (saturday.amount, friday.amount, friday.reason) == (4, 2, "")


def test_within_a_group_the_best_wins_and_groups_add_up() -> None:
    # 10.00: 2 stamps for each full 4.00 are 4, 1 for each full 3.00 are 3: the better of one group is 4; 1 of another.
    rules = (
        a_rule("threes", per_amount(300)),
        a_rule("fours", per_amount(400, 2)),
        a_rule("club", award(1, base=True), stack="club"),
    )

    outcome = given(*rules, due_cents=1000)

    assert outcome.amount == 5
    assert [part.rule for part in outcome.parts] == ["fours", "club"]


def test_equal_offers_of_a_group_go_to_the_earlier_rule() -> None:
    assert [part.rule for part in given(a_rule("one", award(3)), a_rule("two", award(3))).parts] == ["one"]


def test_multipliers_of_two_groups_add_their_extras_and_the_best_of_one_group_wins() -> None:
    # 8.00 are 2 stamps. x2 and x3 in two groups: 2 + 2 + 4 = 8, which is x4. In one group x3 alone: 2 + 4 = 6.
    double, triple = a_rule("double", times(20_000)), a_rule("triple", times(30_000))

    assert given(a_rule(), double, {**triple, "stack": "other"}, due_cents=800).amount == 8
    assert given(a_rule(), double, triple, due_cents=800).amount == 6


@pytest.mark.parametrize(("cents", "amount"), [(400, 2), (800, 3), (1200, 5)])
def test_one_and_a_half_times_rounds_its_extra_half_up(cents: int, amount: int) -> None:
    # 1 + 0.5 → 1 + 1; 2 + 1; 3 + 1.5 → 3 + 2.
    assert given(a_rule(), a_rule("half-more", times(15_000)), due_cents=cents).amount == amount


def test_fixed_award_is_not_multiplied_and_a_base_award_is() -> None:
    doubles = a_rule("double", times(20_000))

    assert given(a_rule("fixed", award(3)), doubles).amount == 3
    assert given(a_rule("base", award(3, base=True)), doubles).amount == 6


def test_phases_of_one_group_do_not_compete_with_each_other() -> None:
    # 2 base + 2 doubled + 5 fixed.
    assert given(a_rule("all", per_amount(400), times(20_000), award(5)), due_cents=800).amount == 9


def test_lines_earn_by_what_was_paid_for_them_and_by_their_items() -> None:
    # Coffee: 7.00 paid for 2. Of the lines: 7.00 holds 3.00 twice; of the due: 19.00 holds it 6 times.
    lines = (COFFEE, MUG)
    of_lines = given(a_rule("c", per_amount(300, of="lines"), **COFFEES), due_cents=1900, lines=lines)
    of_due = given(a_rule("c", per_amount(300), **COFFEES), due_cents=1900, lines=lines)
    items = given(a_rule("c", {"do": "per_item", "n": 3}, **COFFEES), due_cents=1900, lines=lines)
    share = given(a_rule("c", percent(250, of="lines"), **COFFEES), kind="bonus", due_cents=1900, lines=lines)

    # 2.5 % of 7.00 = 17.5 cents → 18.
    assert (of_lines.amount, of_due.amount, items.amount, share.amount) == (2, 6, 6, 18)


@pytest.mark.parametrize(("spent", "cents"), [(0, 10), (49_999, 10), (50_000, 25), (199_999, 25), (200_000, 50)])
def test_rate_follows_the_spend_before_this_purchase(spent: int, cents: int) -> None:
    # 10.00 at 1 %, at 2.5 % from 500.00 on, at 5 % from 2,000.00 on. Reaching a step does not lift its own purchase.
    ladder = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 250}, {"from_cents": 200_000, "bp": 500}]}
    rule = a_rule("bonus", percent(100, ladder=ladder))

    assert given(rule, kind="bonus", due_cents=1000, period_cents={"year": spent}).amount == cents


def test_ladder_without_the_spend_of_its_period_is_an_error_and_no_wrong_rate() -> None:
    ladder = {"period": "month", "steps": [{"from_cents": 1, "bp": 250}]}

    with pytest.raises(KeyError, match="month"):
        given(a_rule("bonus", percent(100, ladder=ladder)), kind="bonus", period_cents={"year": 5})


@pytest.mark.parametrize(("kind", "amount", "reason"), [("stamp_card", 300, "capped"), ("points", 1000, "")])
def test_stamps_are_capped_and_points_are_not(kind: str, amount: int, reason: str) -> None:
    outcome = given(a_rule("euro", per_amount(100)), kind=kind, due_cents=100_000)

    assert (outcome.amount, outcome.reason) == (amount, reason)
    assert sum(part.amount for part in outcome.parts) == 1000


def test_cash_back_counts_every_cent_without_a_cap() -> None:
    plan = parse("cash_back", {**CASH_BACK, "rules": [a_rule("paid", percent(10_000))]})

    outcome = evaluate(plan, some_facts(123_456, kind="cash_back"))

    assert (outcome.amount, outcome.reason) == (123_456, "")


def test_visit_counts_once_a_day_even_from_two_groups() -> None:
    plan = a_plan(
        a_rule("visit", award(1, base=True), on="visit"),
        a_rule("bought", award(1, base=True), stack="bought"),
        kind="visits",
    )

    bought = evaluate(plan, some_facts(kind="visits"))
    dropped_in = evaluate(plan, some_facts(0, kind="visits", trigger="visit"))
    again = evaluate(plan, some_facts(kind="visits", visited_today=True))

    assert (bought.amount, bought.reason) == (1, "capped")
    assert (dropped_in.amount, dropped_in.reason) == (1, "")
    assert (again.amount, again.reason) == (0, "visited_today")


def test_first_purchase_gives_its_award_beside_the_usual_one_and_only_then() -> None:
    rules = (a_rule(), a_rule("first", award(5), on="first_purchase"))

    assert given(*rules, due_cents=800, first_purchase=True).amount == 7
    assert given(*rules, due_cents=800).amount == 2


def test_event_gives_what_its_own_rules_give_without_any_due() -> None:
    rules = (a_rule(), a_rule("welcome", award(2), {"do": "issue", "reward": "gift"}, on="join"))

    outcome = given(*rules, due_cents=0, trigger="join")

    assert (outcome.amount, outcome.issues, outcome.reason) == (2, ("gift",), "")


def test_rewards_tiers_and_messages_of_every_rule_are_given_and_of_two_tiers_the_first() -> None:
    gifts = [{"do": "issue", "reward": "a"}, {"do": "set_tier", "tier": "gold"}, {"do": "message", "key": "hello"}]
    rules = (a_rule("one", *gifts), a_rule("two", {"do": "issue", "reward": "b"}, {"do": "set_tier", "tier": "silver"}))

    outcome = given(*rules)

    assert (outcome.issues, outcome.tier, outcome.messages) == (("a", "b"), "gold", ("hello",))
    assert (outcome.amount, outcome.reason) == (0, "")


def test_nothing_due_gives_nothing_at_all() -> None:
    outcome = given(a_rule("gift", award(1, base=True), {"do": "issue", "reward": "a"}), due_cents=0)

    assert (outcome.amount, outcome.issues, outcome.reason) == (0, (), "nothing_paid")


def test_refund_of_the_mug_takes_what_the_mug_had_earned() -> None:
    # 19.00: 4 stamps and 5 for the mug. Without the mug 7.00 are left: 1 stamp.
    mug = {"when": {"lines": {"groups": ["mugs"]}}, "stack": "mug"}
    plan = a_plan(a_rule(), a_rule("mug", award(5), **mug))

    before = evaluate(plan, some_facts(1900, lines=(COFFEE, MUG)))
    after = evaluate(plan, some_facts(700, lines=(COFFEE,)))

    assert (before.amount, after.amount) == (9, 1)
