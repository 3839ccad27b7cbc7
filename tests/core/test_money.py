"""Cents and basis points, rounded as people expect, exactly."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import AmountInvalid, half_up, share, to_cents


@given(numerator=st.integers(-(10**15), 10**15), denominator=st.integers(-(10**6), 10**6).filter(bool))
def test_halves_go_away_from_zero_as_decimal_says(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    if abs(numerator) < 10**12:
        assert half_up(numerator, denominator) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert abs(half_up(numerator, denominator) * denominator - numerator) * 2 <= abs(denominator)


@pytest.mark.parametrize(
    ("cents", "rate", "part"), [(1000, 500, 50), (30, 500, 2), (29, 500, 1), (10, 500, 1), (9, 500, 0), (-30, 500, -2)]
)
def test_share_is_rounded_half_up(cents: int, rate: int, part: int) -> None:
    assert share(cents, rate) == part


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("42", 4200), ("42,5", 4250), ("42.00", 4200), ("0,05", 5), (" 1 234,50 € ", 123_450), ("1\u00a0234,5€", 123_450)],
)
def test_amount_is_read_as_people_type_it(typed: str, cents: int) -> None:
    assert to_cents(typed) == cents


@pytest.mark.parametrize("typed", ["", "-1", "1,234", "1e3", "4,", ",5", "4²", "1.2.3", "x", "1" * 10, "€"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(AmountInvalid):
        to_cents(typed)


@given(st.integers(0, 10**11 - 1))
def test_every_amount_is_read_back(cents: int) -> None:
    for point in ",.":
        assert to_cents(f"{cents // 100}{point}{cents % 100:02}") == cents
