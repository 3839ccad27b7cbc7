"""What coupons and spends take off a basket, by hand and for any basket."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger.rules import Line
from app.rewards.rules import MEASURED, LinesDoNotSum, Settled, SpendTooLarge, Use, settle

LATTE = Line("latte", "coffee", 2, 450, 1400)
ESPRESSO = Line("espresso", "coffee", 1, 300, 1400)
MUG = Line("mug", "things", 1, 1250, 2550)
BASKET = (LATTE, ESPRESSO, MUG)  # 24.50


def product(*skus: str, key: str = "product", settlement: int = 250) -> Use:
    return Use(key, "product", skus=frozenset(skus), settlement_cents=settlement)


def percent(bp: int, *groups: str, key: str = "percent", cap: int | None = None) -> Use:
    return Use(key, "discount_percent", percent_bp=bp, cap_cents=cap, groups=frozenset(groups), settlement_cents=999)


def amount(cents: int, key: str = "amount") -> Use:
    return Use(key, "discount_cents", face_cents=cents, settlement_cents=999)


def meet(*coupons: Use, total: int = 2450, spends: Mapping[str, int] | None = None) -> Settled:
    return settle(total, BASKET if total == 2450 else (), coupons, spends or {})


def test_basket_without_coupons_is_paid_in_full() -> None:
    done = meet()

    assert (done.due_cents, done.paid, done.discount_cents, done.spent_cents) == (2450, (900, 300, 1250), 0, 0)


def test_product_takes_one_item_of_its_dearest_line_out_and_settles_at_its_fixed_value() -> None:
    done = meet(product("latte", "espresso"))

    assert (done.due_cents, done.paid) == (2000, (450, 300, 1250))
    assert (done.discounts, done.settlements) == ({"product": 450}, {"product": 250})


def test_second_product_takes_the_next_item_and_a_third_finds_none() -> None:
    done = meet(*(product("latte", key=key) for key in ("a", "b", "c")))

    assert (done.discounts, done.paid) == ({"a": 450, "b": 450, "c": 0}, (0, 300, 1250))


def test_product_with_fewer_choices_chooses_first() -> None:
    one_latte = (Line("latte", "coffee", 1, 450), Line("espresso", "coffee", 1, 300))
    wide, narrow = product("latte", "espresso", key="a"), product("latte", key="b")

    assert settle(750, one_latte, [wide, narrow], {}).discounts == {"a": 300, "b": 450}


@pytest.mark.parametrize("total", [2450, 2000])
def test_product_that_names_no_goods_was_left_out_by_the_till(total: int) -> None:
    done = meet(product(), total=total)

    assert (done.due_cents, done.discounts, done.settlements) == (total, {"product": 0}, {"product": 250})


@pytest.mark.parametrize("coupon", [product("latte"), percent(5000, "coffee")])
def test_coupon_for_some_goods_takes_nothing_off_a_total_without_lines(coupon: Use) -> None:
    assert meet(coupon, total=2000).due_cents == 2000


@pytest.mark.parametrize(
    ("total", "bp", "discount"),
    [
        (1050, 500, 53),  # 52.5 cents: half-even gives 52
        (1150, 500, 58),  # 57.5: half-even gives 58 as well
        (145, 1000, 15),  # 14.5: half-even gives 14
        (999, 1, 0),
        (999, 10_000, 999),
    ],
)
def test_percent_is_rounded_half_up(total: int, bp: int, discount: int) -> None:
    done = meet(percent(bp), total=total)

    assert (done.discounts, done.due_cents) == ({"percent": discount}, total - discount)


def test_percent_of_a_group_leaves_the_other_lines_alone() -> None:
    # 15 % of 9.00 + 3.00 is 1.80, of which 1.35 and 0.45.
    done = meet(percent(1500, "coffee"))

    assert (done.paid, done.settlements) == ((765, 255, 1250), {"percent": 180})


def test_percent_is_capped_and_settles_at_what_was_given() -> None:
    done = meet(percent(5000, cap=500))

    assert (done.due_cents, done.settlements) == (1950, {"percent": 500})


def test_amount_takes_no_more_than_is_left_and_settles_at_that() -> None:
    done = meet(amount(3000))

    assert (done.due_cents, done.paid, done.settlements) == (0, (0, 0, 0), {"amount": 2450})


def test_order_is_product_percent_amount_spend() -> None:
    # 24.50 - 4.50 = 20.00; half of it 10.00; less 3.00 is 7.00; 2.00 spent.
    coupons = (amount(300), percent(5000), product("latte"))

    done = meet(*coupons, spends={"bonus": 150, "gift": 50})

    assert done.discounts == {"product": 450, "percent": 1000, "amount": 300}
    assert (done.due_cents, done.discount_cents, done.spent_cents, sum(done.paid)) == (500, 1750, 200, 500)


def test_basket_discount_is_split_over_the_lines_by_largest_remainder() -> None:
    # 1.00 of 9.00, 3.00 and 12.50: 36.73, 12.24 and 51.02 cents. The cent left over goes to the .73.
    done = meet(amount(100))

    assert (done.line_discounts, done.paid) == ((37, 12, 51), (863, 288, 1199))


@pytest.mark.parametrize("kind", ["service", "free_text", "invitation"])
def test_what_is_no_discount_costs_the_basket_nothing_and_settles_at_its_fixed_value(kind: str) -> None:
    done = meet(Use("it", kind, face_cents=500, settlement_cents=120))

    assert (done.due_cents, done.discounts, done.settlements) == (2450, {"it": 0}, {"it": 120})


def test_lines_that_are_not_the_total_are_refused() -> None:
    with pytest.raises(LinesDoNotSum) as refusal:
        settle(2451, BASKET, [], {})

    said = refusal.value
    assert (said.code, said.status, said.extra) == ("lines_do_not_sum", 422, {"lines_cents": 2450})


def test_spend_of_more_than_the_coupons_leave_is_refused() -> None:
    assert meet(amount(450), spends={"bonus": 2000}).due_cents == 0

    with pytest.raises(SpendTooLarge) as refusal:
        meet(amount(450), spends={"bonus": 1500, "gift": 501})

    assert refusal.value.extra == {"due_cents": 2000}


CENTS = st.integers(0, 5000)
NAMES = st.frozensets(st.sampled_from(["latte", "mug", "bun"]), max_size=2)
LINES = st.lists(
    st.builds(
        Line, st.sampled_from(["latte", "mug", "bun", ""]), st.sampled_from(["coffee", "things", ""]),
        st.integers(1, 4), CENTS, st.sampled_from([None, 1400, 2550]),
    ),
    max_size=5,
)  # fmt: skip
COUPONS = st.lists(
    st.builds(
        Use, st.text("ABCD", min_size=1, max_size=3), st.sampled_from(["product", *MEASURED]),
        CENTS, st.integers(1, 10_000), st.none() | CENTS, NAMES, st.frozensets(st.just("coffee")), CENTS,
    ),
    max_size=5, unique_by=lambda use: use.key,
)  # fmt: skip


@given(lines=LINES, total=CENTS, coupons=COUPONS, wish=st.integers(0, 10_000), data=st.data())
def test_any_basket_is_met_to_the_cent_in_any_order(
    lines: list[Line], total: int, coupons: list[Use], wish: int, data: st.DataObject
) -> None:
    total = sum(line.amount_cents for line in lines) if lines else total
    left = settle(total, lines, coupons, {}).due_cents
    spends = {"bonus": min(wish, left)}

    done = settle(total, lines, coupons, spends)

    assert done == settle(total, lines, data.draw(st.permutations(coupons)), spends)
    assert done.due_cents >= 0
    assert done.due_cents == total - done.discount_cents - done.spent_cents
    assert sum(done.discounts.values()) == done.discount_cents
    if lines:
        sums = (sum(done.paid), sum(done.line_discounts), sum(done.line_spends))
        assert sums == (done.due_cents, done.discount_cents, done.spent_cents)
        assert min((*done.paid, *done.line_discounts, *done.line_spends)) >= 0


@given(total=CENTS, coupons=COUPONS, over=st.integers(1, 500))
def test_no_spend_ever_exceeds_what_is_left(total: int, coupons: list[Use], over: int) -> None:
    left = settle(total, [], coupons, {}).due_cents

    with pytest.raises(SpendTooLarge):
        settle(total, [], coupons, {"bonus": left, "gift": over})
