"""Coupons at the till page: by the member's moving code, by their own code, once."""

import re

import pytest
from sqlalchemy import func, select

from app.rewards import service as rewards
from app.rewards.models import Redemption
from tests.doors.shop import FOREIGN_KEY, ORIGIN, OTHER_KEY, Shop


def test_card_and_coupon_of_another_brand_are_unknown(shop: Shop) -> None:
    coupon, other = shop.coupon(), shop.other(FOREIGN_KEY)

    for text in (shop.code, shop.spoken, coupon.code):
        answer = other.post("/till/scan", data={"text": text}, headers=ORIGIN)
        assert (answer.status_code, "Aino" in answer.text) == (422, False)
    assert other.get(f"/till/coupon/{coupon.code}").status_code == 404


def test_moving_code_redeems_by_the_button_and_only_once(shop: Shop) -> None:
    coupon, scan = shop.coupon(), shop.scan(moving=True)
    form = {"scan": scan, "coupon": coupon.coupon.public_id}

    first, again, late = (shop.post("/till/redeem", **form, key=key) for key in ("one", "one", "two"))

    assert first.location == again.location == f"/till/scan/{scan}?redeemed={coupon.coupon.public_id}"
    assert late.status_code == 409
    assert "Used on" in late.text
    assert "Free coffee redeemed." in shop.get(first.location).text


def test_static_code_does_not_redeem_without_the_coupons_own_code(shop: Shop) -> None:
    coupon, scan = shop.coupon(), shop.scan()

    button = shop.post("/till/redeem", scan=scan, coupon=coupon.coupon.public_id, key="one")
    own_code = shop.post("/till/redeem", scan=scan, code=coupon.code.lower(), key="two")

    assert (button.status_code, own_code.status_code) == (409, 303)
    assert "moving code" in button.text


def test_page_of_a_static_scan_shows_no_code_and_no_button(shop: Shop) -> None:
    coupon = shop.coupon()

    page = shop.get(f"/till/scan/{shop.scan()}").text

    assert coupon.code not in page
    assert 'name="coupon"' not in page


def test_coupon_by_its_own_code(shop: Shop) -> None:
    coupon = shop.coupon()

    seen = shop.post("/till/scan", text=rewards.print_code(coupon.code))
    page = shop.get(seen.location)
    done = shop.post("/till/redeem", code=coupon.code, key="one")
    used = shop.post("/till/redeem", code=coupon.code, key="two")

    assert (page.status_code, coupon.code not in seen.location) == (200, True)
    assert "Free coffee redeemed" in shop.get(done.location).text
    assert (used.status_code, "Used on" in used.text) == (409, True)
    with shop.database.reading(shop.brand_id) as session:
        assert session.scalar(select(func.count(Redemption.id))) == 1


def test_coupon_scanned_on_a_members_page_leads_back_to_it(shop: Shop) -> None:
    coupon, scan = shop.coupon(), shop.scan()

    seen = shop.post("/till/scan", **{"text": coupon.code, "from": scan})
    page = shop.get(seen.location).text
    done = shop.post("/till/redeem", **{"code": coupon.code, "key": "one", "from": f"/till/scan/{scan}"})

    assert f'href="/till/scan/{scan}"' in page
    assert done.location == f"/till/scan/{scan}?redeemed={coupon.coupon.public_id}"


@pytest.mark.parametrize("origin", ["https://evil.example/", "//evil.example", "/till/scan/../logout"])
def test_form_leads_nowhere_else(shop: Shop, origin: str) -> None:
    done = shop.post("/till/redeem", **{"code": shop.coupon().code, "key": "one", "from": origin})

    assert re.fullmatch(r"/till\?done=[0-9A-Z]{26}", done.location)


def test_wrong_coupon_codes_are_locked_after_ten(shop: Shop) -> None:
    answers = [shop.post("/till/scan", text="ABCDEFGHJKLMN").status_code for _try in range(11)]

    assert answers == [422] * 10 + [429]


def test_coupon_page_names_no_member_that_another_till_scanned(shop: Shop) -> None:
    coupon, scan, other = shop.coupon(), shop.scan(), shop.other(OTHER_KEY)

    read = other.post("/till/scan", data={"text": coupon.code, "from": scan}, headers=ORIGIN)
    page = other.get(read.location)

    assert (page.status_code, "Aino" in page.text) == (200, False)
    assert "Aino" in shop.get(f"/till/coupon/{shop.read(coupon.code)}?from={scan}").text


def test_coupon_redeemed_on_a_scan_comes_back_when_the_sale_of_that_scan_is_undone(shop: Shop) -> None:
    coupon, scan = shop.coupon(), shop.scan(moving=True)
    shop.post("/till/redeem", scan=scan, coupon=coupon.coupon.public_id, key="one")
    sold = shop.post("/till/purchase", scan=scan, amount="4,00", key="two")

    undone = shop.post("/till/undo", purchase=sold.location.split("=")[1])

    assert undone.status_code == 303
    with shop.database.reading(shop.brand_id) as session:
        redemption = session.scalars(select(Redemption)).one()
        states = [view.state for view in rewards.of_member(session, coupon.coupon.member_id)]
    assert redemption.reversed_at is not None
    assert states == ["issued"]
