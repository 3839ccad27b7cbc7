"""Limits, first N and budgets: what is used up does not count, a budget gives what is left, and both say so."""

import pytest

from app.cards.rules import Used
from tests.programs import a_rule, award, given, per_amount, times

FIVE = a_rule("five", award(5), stack="extra")


@pytest.mark.parametrize(
    ("limit", "used", "reason"),
    [
        ({"member": {"day": 2}}, Used(member_day=2), "limit_member_day"),
        ({"member": {"week": 2}}, Used(member_week=2), "limit_member_week"),
        ({"member": {"month": 2}}, Used(member_month=2), "limit_member_month"),
        ({"member": {"ever": 2}}, Used(member_ever=2), "limit_member_ever"),
        ({"member": {"day": 1, "ever": 2}}, Used(member_day=2, member_ever=2), "limit_member_ever"),
        ({"first_n": 100}, Used(everybody=100), "first_n_over"),
        ({"budget": 500}, Used(awarded=500), "budget_used"),
    ],
)
def test_rule_whose_limit_is_used_up_gives_nothing_and_says_which(
    limit: dict[str, object], used: Used, reason: str
) -> None:
    outcome = given({**FIVE, "limit": limit}, used={"five": used})

    assert (outcome.amount, outcome.reason, outcome.values["rule"]) == (0, reason, "five")
    assert outcome.uses == {}


@pytest.mark.parametrize(
    ("limit", "used"),
    [
        ({"member": {"day": 2}}, Used(member_day=1, member_ever=9)),
        ({"first_n": 100}, Used(everybody=99)),
        ({"budget": 500}, Used(awarded=495)),
    ],
)
def test_last_use_that_a_limit_allows_counts_in_full(limit: dict[str, object], used: Used) -> None:
    outcome = given({**FIVE, "limit": limit}, used={"five": used})

    assert (outcome.amount, outcome.reason, outcome.uses) == (5, "", {"five": 5})


def test_budget_gives_what_is_left_of_it_beside_the_rest_of_the_award() -> None:
    # 8.00 are 2 stamps; of a budget of 500, 497 were given: 3 of 5 are left.
    outcome = given(a_rule(), {**FIVE, "limit": {"budget": 500}}, due_cents=800, used={"five": Used(awarded=497)})

    assert (outcome.amount, outcome.reason, outcome.values["missing"]) == (5, "budget_used", 2)
    assert outcome.uses == {"five": 3}


def test_budget_is_one_for_all_phases_of_a_rule() -> None:
    # 8.00: 2 base, 2 doubled, 5 fixed would be 9; of 6, base and doubling take 4, and 2 of 5 are left.
    rule = a_rule("all", per_amount(400), times(20_000), award(5), limit={"budget": 6})

    outcome = given(rule, due_cents=800)

    assert [part.amount for part in outcome.parts] == [2, 2, 2]
    assert outcome.uses == {"all": 6}


def test_next_best_of_a_group_steps_in_for_one_that_is_used_up_and_the_loss_is_told() -> None:
    better = a_rule("better", award(9), limit={"first_n": 1}, label={"en": "opening day"})
    plain = a_rule("plain", award(4))

    outcome = given(better, plain, used={"better": Used(everybody=1)})

    assert (outcome.amount, outcome.reason) == (4, "first_n_over")
    assert outcome.values == {"first": 1, "rule": "better", "label": {"en": "opening day"}}


def test_used_up_rule_that_would_not_have_won_is_no_reason() -> None:
    worse = a_rule("worse", award(1), limit={"first_n": 1})

    assert given(a_rule("plain", award(4)), worse, used={"worse": Used(everybody=1)}).reason == ""


def test_used_up_rule_whose_group_gives_as_much_without_it_is_no_reason() -> None:
    even = a_rule("even", award(4), limit={"first_n": 1})

    outcome = given(even, a_rule("plain", award(4)), used={"even": Used(everybody=1)})

    assert (outcome.amount, outcome.reason) == (4, "")


def test_loser_of_a_group_is_not_counted_as_used() -> None:
    limit = {"member": {"day": 1}}

    outcome = given(a_rule("small", award(1), limit=limit), a_rule("big", award(2), limit=limit))

    assert outcome.uses == {"big": 2}


def test_gift_of_a_rule_with_a_limit_is_counted_and_blocked_by_it() -> None:
    rule = a_rule("gift", {"do": "issue", "reward": "mug"}, limit={"member": {"ever": 1}})

    first, second = given(rule), given(rule, used={"gift": Used(member_ever=1)})

    assert (first.issues, first.uses, first.reason) == (("mug",), {"gift": 0}, "")
    assert (second.issues, second.uses, second.reason) == ((), {}, "limit_member_ever")


def test_what_the_cap_cuts_is_not_taken_from_a_budget() -> None:
    # 298 base and 5 fixed are 303; 300 are given, so the fixed rule gave 2.
    outcome = given(a_rule("base", award(298, base=True)), {**FIVE, "limit": {"budget": 500}})

    assert (outcome.amount, outcome.reason, outcome.uses) == (300, "capped", {"five": 2})


def test_doubling_that_is_used_up_leaves_the_base_and_a_reason() -> None:
    double = a_rule("double", times(20_000), limit={"member": {"week": 1}})

    outcome = given(a_rule(), double, due_cents=800, used={"double": Used(member_week=1)})

    assert (outcome.amount, outcome.reason, outcome.values["times"]) == (2, "limit_member_week", 1)
