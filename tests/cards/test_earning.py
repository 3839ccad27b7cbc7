"""The one write path: what is booked, what is refused, and that a quote is what a booking gives."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import reasons, service
from app.cards.models import Award, Program
from app.core import clock
from app.ledger.models import Purchase
from app.ledger.service import AmountAbsurd, ReceiptInvalid, ReceiptKnown, TimeOutOfRange
from app.rewards.models import Reward
from tests.builders import a_member, a_till
from tests.shop import Shop, a_basket, a_program, a_shop, a_version, faults


def test_purchase_stamps_each_full_step_and_answers_with_the_balance(shop: Shop) -> None:
    first, second = shop.buy(1299), shop.buy(850)

    assert [(line.amount, line.balance, line.filled, line.reason) for line in (*first.awards, *second.awards)] == [
        (3, 3, 0, ""),
        (2, 5, 0, ""),
    ]
    assert (first.due_cents, shop.balance(), shop.coupons()) == (1299, 5, [])
    assert shop.entries() == [("earn", 3), ("earn", 2)]


def test_card_that_fills_issues_one_coupon_and_keeps_the_rest(shop: Shop) -> None:
    shop.buy(3200)

    answer = shop.buy(4200)

    (line,) = answer.awards
    assert (line.amount, line.balance, line.filled) == (10, 8, 1)
    assert [view.coupon.id for view in answer.coupons] == [coupon.id for coupon in shop.coupons()]
    assert shop.states() == ["issued"]


def test_twenty_five_stamps_fill_a_card_of_ten_twice(shop: Shop) -> None:
    answer = shop.buy(10_000)

    (line,) = answer.awards
    assert (line.amount, line.balance, line.filled, len(answer.coupons)) == (25, 5, 2, 2)
    assert shop.entries() == [("earn", 25), ("fill", -10), ("fill", -10)]
    assert len({coupon.code_hash for coupon in shop.coupons()}) == 2


def test_exactly_full_card_is_empty_afterwards(shop: Shop) -> None:
    assert (shop.buy(4000).awards[0].balance, shop.states()) == (0, ["issued"])


@pytest.mark.parametrize(("cents", "reason"), [(0, "nothing_paid"), (399, "below_one_step")])
def test_award_of_nothing_is_kept_with_its_reason(shop: Shop, cents: int, reason: str) -> None:
    answer = shop.buy(cents)

    assert [(line.amount, line.reason) for line in answer.awards] == [(0, reason)]
    kept = shop.session.scalars(select(Award)).one()
    assert (kept.amount, kept.reason, shop.entries()) == (0, reason, [])


def test_slip_of_the_finger_is_capped_and_says_so(shop: Shop) -> None:
    answer = shop.buy(990_000)

    (line,) = answer.awards
    assert (line.amount, line.filled, line.reason) == (300, 30, "capped")
    kept = shop.session.scalars(select(Award)).one()
    assert (kept.amount, kept.reason) == (300, "capped")
    said = reasons.sentence(line.reason, line.details)
    assert said == "One purchase earns 300 at most"


def test_programs_earn_side_by_side(bare_shop: Shop) -> None:
    a_program(bare_shop.session, "coffee", cents=400, size=10)
    a_program(bare_shop.session, "visits", per="purchase", cents=500, award=1, size=2)

    bare_shop.buy(900)
    answer = bare_shop.buy(900)

    assert {line.program.slug: (line.amount, line.balance, line.filled) for line in answer.awards} == {
        "coffee": (2, 4, 0),
        "visits": (1, 0, 1),
    }


def test_purchase_without_a_program_is_kept_and_earns_nothing(bare_shop: Shop) -> None:
    assert bare_shop.buy(900).awards == []
    assert bare_shop.session.scalar(select(func.count(Purchase.id))) == 1


def test_receipt_is_known_by_till_and_day_only(shop: Shop) -> None:
    now = clock.now()
    shop.buy(400, receipt="17", at=now)

    with pytest.raises(ReceiptKnown):
        shop.buy(900, receipt=" 17 ", at=now)

    shop.buy(400, receipt="17", at=now, till=a_till(shop.session))
    shop.buy(400, receipt="17", at=now - timedelta(days=2))
    assert shop.balance() == 3


@pytest.mark.parametrize(
    ("moved", "fits"),
    [
        (timedelta(minutes=4, seconds=55), True),
        (timedelta(minutes=5, seconds=5), False),
        (-timedelta(days=29, hours=23), True),
        (-timedelta(days=30, minutes=1), False),
    ],
)
def test_time_of_a_purchase_is_near_now(session: Session, moved: timedelta, fits: bool) -> None:
    shop = a_shop(session)

    if fits:
        assert shop.buy(400, at=clock.now() + moved).awards[0].amount == 1
        return
    with pytest.raises(TimeOutOfRange):
        shop.buy(400, at=clock.now() + moved)


@pytest.mark.parametrize("cents", [-1, 100_000_001])
def test_absurd_amount_is_refused_and_leaves_nothing(session: Session, cents: int) -> None:
    shop = a_shop(session)

    with pytest.raises(AmountAbsurd):
        shop.buy(cents)

    assert session.scalar(select(func.count(Purchase.id))) == 0


@pytest.mark.parametrize("receipt", [" ", "x" * 41])
def test_receipt_has_one_to_forty_symbols(session: Session, receipt: str) -> None:
    with pytest.raises(ReceiptInvalid):
        a_shop(session).buy(400, receipt=receipt)


def test_version_of_the_purchase_moment_counts_not_the_newest(shop: Shop) -> None:
    program, reward = shop.session.scalars(select(Program)).one(), shop.session.scalars(select(Reward)).one()
    change = clock.now() - timedelta(days=2)
    a_version(shop.session, program, reward, number=2, valid_from=change, cents=100, size=50)

    late = shop.buy(400, at=change - timedelta(seconds=1))
    now = shop.buy(400)

    assert [(line.amount, line.program.size) for line in (*late.awards, *now.awards)] == [(1, 10), (4, 50)]


def test_coupon_of_a_late_reported_purchase_has_its_full_days_from_the_report_on(shop: Shop) -> None:
    reported = clock.now()

    shop.buy(4000, at=reported - timedelta(days=20))

    assert shop.coupons()[0].expires_at >= reported + timedelta(days=60)


def test_members_do_not_share_a_card(shop: Shop) -> None:
    other = a_member(shop.session)

    shop.buy(400), shop.buy(800, member=other)

    assert (shop.balance(), shop.balance(other)) == (1, 2)


@settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(baskets=st.lists(st.integers(0, 12_000), min_size=8, max_size=8))
def test_quote_is_what_the_booking_gives(session: Session, baskets: list[int]) -> None:
    if session.scalar(select(Program.id).limit(1)) is None:
        a_program(session, "coffee", cents=400, size=10)
        a_program(session, "visits", per="purchase", cents=700, award=2, size=3)
    shop = a_shop(session, program=False)

    for cents in baskets:
        basket = a_basket(cents)
        quoted = service.quote(session, basket, member_id=shop.member.id, till=shop.till)
        booked = service.record_purchase(session, basket, member=shop.member, till=shop.till)
        assert (quoted.payment, quoted.awards) == (booked.payment, booked.awards)
        assert sum(line.filled for line in quoted.awards) == len(booked.coupons)
    assert faults(session) == []
