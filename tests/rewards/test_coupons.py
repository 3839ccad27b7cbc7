"""Coupons: the code, finding one, redeeming it once ever, and the true reason why not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import SYMBOLS, check_symbol
from app.core.db import Database
from app.network.models import CostCentre
from app.rewards import jobs, service
from app.rewards.models import Coupon, Redemption
from app.rewards.service import CouponNotUsable, CouponUnknown
from tests.builders import a_brand
from tests.shop import Shop, a_coupon, a_shop


def test_code_has_twelve_random_symbols_and_a_check_symbol_and_is_kept_sealed(shop: Shop) -> None:
    views = [a_coupon(shop, number=number) for number in range(1, 21)]

    for view in views:
        assert len(view.code) == 13
        assert set(view.code) <= set(SYMBOLS)
        assert check_symbol(view.code[:-1]) == view.code[-1]
        assert view.code.encode() not in view.coupon.code
        assert view.coupon.last_four == view.code[-4:]
    assert len({view.code for view in views}) == 20
    assert service.print_code("ABCDEFGHJKLMN") == "ABCD-EFGH-JKLM-N"


@given(code=st.text(SYMBOLS, min_size=12, max_size=12), place=st.integers(0, 12), other=st.sampled_from(SYMBOLS))
def test_one_wrong_symbol_never_fits_the_check_symbol(code: str, place: int, other: str) -> None:
    whole = code + check_symbol(code)
    wrong = whole[:place] + other + whole[place + 1 :]

    assert (check_symbol(wrong[:-1]) == wrong[-1]) is (wrong == whole)


@pytest.mark.parametrize("typed", ["{code}", "{lower}", " {printed} ", "{spaced}", "{code}\t"])
def test_coupon_is_found_however_its_code_is_typed(session: Session, typed: str) -> None:
    view = a_coupon(a_shop(session))
    printed = service.print_code(view.code)

    text = typed.format(code=view.code, lower=view.code.lower(), printed=printed, spaced=printed.replace("-", " "))

    assert service.find(session, text).coupon.id == view.coupon.id


@pytest.mark.parametrize("text", ["", "0", "ÄÄÄÄ", "x" * 500, "'; DROP TABLE coupon; --"])
def test_unknown_code_is_refused(session: Session, text: str) -> None:
    shop = a_shop(session)
    a_coupon(shop)

    with pytest.raises(CouponUnknown):
        service.redeem(session, text, till=shop.till)


def test_redemption_freezes_what_the_outlet_is_paid(shop: Shop) -> None:
    centre = shop.session.scalars(select(CostCentre)).one()
    view = a_coupon(shop, settlement_cents=310, fee_cents=15, cost_centre_id=centre.id)

    done = service.redeem(shop.session, view.code, till=shop.far_till)
    view.reward.settlement_cents = 999
    shop.session.flush()

    shop.session.refresh(done)
    frozen = (done.settlement_cents, done.fee_cents, done.cost_centre_id, done.outlet_id)
    assert frozen == (310, 15, centre.id, shop.far_till.outlet_id)
    assert shop.states() == ["redeemed"]


def test_second_use_says_when_and_where_the_first_was(shop: Shop) -> None:
    view = a_coupon(shop)
    first = service.redeem(shop.session, view.code, till=shop.till)

    with pytest.raises(CouponNotUsable) as refusal:
        service.redeem(shop.session, view.code, till=shop.far_till)

    said = refusal.value.extra
    assert (said["state"], said["at"]) == ("redeemed", first.occurred_at.isoformat())
    assert said["outlet"]
    assert len(shop.session.scalars(select(Redemption)).all()) == 1


def test_coupon_expires_to_the_moment_also_before_the_job_says_so(shop: Shop) -> None:
    view = a_coupon(shop, valid_days=30)

    with clock.moved(to=view.coupon.expires_at + timedelta(milliseconds=1)):
        with pytest.raises(CouponNotUsable) as refusal:
            service.redeem(shop.session, view.code, till=shop.till)
        assert (view.state, view.usable) == ("expired", False)

    assert refusal.value.extra["state"] == "expired"
    with clock.moved(to=view.coupon.expires_at - timedelta(seconds=5)):
        service.redeem(shop.session, view.code, till=shop.till)


def test_revoked_coupon_says_that_it_was_taken_back(shop: Shop) -> None:
    view = a_coupon(shop)
    revoked = [service.revoke(shop.session, view.coupon.id) for _try in range(2)]

    with pytest.raises(CouponNotUsable) as refusal:
        service.redeem(shop.session, view.code, till=shop.till)

    assert (revoked, refusal.value.extra["state"], shop.states()) == ([True, False], "revoked", ["revoked"])


def test_job_expires_what_is_due_in_every_brand_and_nothing_else(database: Database) -> None:
    brands = [a_brand(database), a_brand(database, "other")]
    for brand_id in brands:
        with database.unit(brand_id) as session:
            shop = a_shop(session)
            for number, days in enumerate((10, 10, 90), start=1):
                a_coupon(shop, number=number, valid_days=days)
            used = a_coupon(shop, number=4, valid_days=10)
            service.redeem(session, used.code, till=shop.till)

    with clock.moved(by=timedelta(days=11)), database.unit() as session:
        jobs.expire(session)

    for brand_id in brands:
        with database.reading(brand_id) as session:
            states = session.scalars(select(Coupon.state).order_by(Coupon.id)).all()
        assert states == ["expired", "expired", "issued", "redeemed"]


def test_job_leaves_the_rest_of_a_long_list_for_its_next_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SLICE", 3)
    for slug in ("meri", "other"):
        with database.unit(a_brand(database, slug)) as session:
            shop = a_shop(session)
            for number in range(1, 3):
                a_coupon(shop, number=number, valid_days=10)

    left = []
    with clock.moved(by=timedelta(days=11)):
        for _turn in range(3):
            with database.unit() as session:
                jobs.expire(session)
            with database.reading() as session:
                due = select(Coupon.id).where(Coupon.state == "issued").execution_options(finds_brand=True)
                left.append(len(session.scalars(due).all()))

    assert left == [1, 0, 0]


def test_coupons_of_a_member_come_usable_first_and_soonest_first(session: Session) -> None:
    shop = a_shop(session)
    late, soon, used = (a_coupon(shop, number=number, valid_days=days) for number, days in ((1, 60), (2, 30), (3, 5)))
    service.redeem(session, used.code, till=shop.till)

    shown = service.of_member(session, shop.member.id)

    assert [view.code for view in shown] == [soon.code, late.code, used.code]
    assert service.uses(session, [used.coupon.id])[used.coupon.id].reversed is False


def test_coupon_of_another_brand_is_unknown(sqlite: Database) -> None:
    with sqlite.unit(a_brand(sqlite)) as session:
        code = a_coupon(a_shop(session)).code

    with sqlite.unit(a_brand(sqlite, "other")) as session, pytest.raises(CouponUnknown):
        service.redeem(session, code, till=a_shop(session).till)
