"""What a purchase earns, as a pure sum."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.cards import rules
from app.cards.rules import MAX_STAMPS, Outcome
from tests.programs import some_facts

EUROS = {"per": "euros", "cents": 400, "award": 1}
PURCHASE = {"per": "purchase", "cents": 500, "award": 2}


def earned(rule: dict[str, object], cents: int) -> Outcome:
    """Return what a short form gives for an amount due in cents."""
    return rules.evaluate(rules.parse("stamp_card", rule), some_facts(cents))


@pytest.mark.parametrize(
    ("rule", "cents", "amount", "reason"),
    [
        (EUROS, 0, 0, "nothing_paid"),
        (EUROS, 399, 0, "below_one_step"),
        (EUROS, 400, 1, ""),
        (EUROS, 799, 1, ""),
        (EUROS, 4200, 10, ""),
        (EUROS, 120_000, 300, ""),
        (EUROS, 120_400, 300, "capped"),
        (EUROS, 4_000_000, 300, "capped"),
        ({**EUROS, "award": 3}, 1200, 9, ""),
        (PURCHASE, 0, 0, "nothing_paid"),
        (PURCHASE, 499, 0, "below_minimum"),
        (PURCHASE, 500, 2, ""),
        (PURCHASE, 100_000, 2, ""),
        ({**PURCHASE, "cents": 0}, 1, 2, ""),
    ],
)
def test_amount_due_earns_whole_steps_and_nothing_says_why(
    rule: dict[str, object], cents: int, amount: int, reason: str
) -> None:
    outcome = earned(rule, cents)

    assert (outcome.amount, outcome.reason) == (amount, reason)


@pytest.mark.parametrize(
    ("rule", "cents", "missing"), [(EUROS, 1, 399), (EUROS, 399, 1), (PURCHASE, 1, 499), (PURCHASE, 499, 1)]
)
def test_missing_cents_lead_to_the_first_stamp(rule: dict[str, object], cents: int, missing: int) -> None:
    assert earned(rule, cents).values["missing_cents"] == missing
    assert earned(rule, cents + missing).amount >= 1


@pytest.mark.parametrize(
    ("balance", "size", "times"), [(25, 10, 2), (10, 10, 1), (9, 10, 0), (0, 1, 0), (-25, 10, 0), (7, 1, 7)]
)
def test_card_fills_as_often_as_its_balance_holds_it(balance: int, size: int, times: int) -> None:
    assert rules.fills(balance, size) == times


@given(cents=st.integers(0, 100_000_000), step=st.integers(1, 100_000), award=st.integers(1, 100))
def test_stamps_are_the_full_steps_and_never_beyond_the_cap(cents: int, step: int, award: int) -> None:
    outcome = earned({"per": "euros", "cents": step, "award": award}, cents)

    whole = cents // step * award
    assert outcome.amount == min(whole, MAX_STAMPS)
    assert (outcome.reason == "capped") is (whole > MAX_STAMPS)
    assert bool(outcome.reason) is (whole == 0 or whole > MAX_STAMPS)


@given(amounts=st.lists(st.integers(0, 1_000_000), min_size=2, max_size=8).map(sorted))
def test_paying_more_never_earns_less(amounts: list[int]) -> None:
    for rule in (EUROS, PURCHASE):
        amounts_earned = [earned(rule, cents).amount for cents in amounts]
        assert all(less <= more for less, more in pairwise(amounts_earned))


@given(balance=st.integers(-1000, 300), size=st.integers(1, 100))
def test_what_is_left_after_filling_fits_on_a_card(balance: int, size: int) -> None:
    left = balance - rules.fills(balance, size) * size

    assert left < size
    assert left == balance if balance < 0 else left >= 0


@pytest.mark.parametrize(
    "rule",
    [{"per": "euros", "cents": 0}, {"per": "euros"}, {"per": "visit"}, {**EUROS, "award": 0}, {**EUROS, "more": 1},
     {**EUROS, "cents": -1}],
)  # fmt: skip
def test_rule_that_cannot_be_counted_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rules.Shorthand.model_validate(rule)
