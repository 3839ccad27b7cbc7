"""A sale at the till page is paid with coupons, bonus and gift cards, approved by PIN, and allowed in the app."""

import re

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.crypto import hash_token
from app.doors import approvals
from app.network import pins
from app.network.models import Brand, Outlet, Staff, Till
from tests.doors.purse import Purse, allow, due, everything
from tests.doors.purse import purse as purse
from tests.doors.shop import KEY, ORIGIN, OTHER_KEY, Shop
from tests.shop import a_reward


def test_everything_pays_and_the_page_says_what_is_left_before_it_is_booked(shop: Shop, purse: Purse) -> None:
    scan, chosen = shop.scan(moving=True), everything(shop, purse)
    query = "&".join(f"{name}={value}" for name, value in chosen.items())

    said = shop.get(f"/till/scan/{scan}/quote?total_cents=4200&{query}").get_json()
    counted = shop.sell("42,00", scan=scan, key="second", count="1", **chosen)
    booked = shop.sell("42,00", scan=scan, key="second", **chosen)

    assert said["due"] == "€23.50 to pay"  # 42.00 less 5.00, 2.50, 8.00 and 3.00
    assert (counted.status_code, "€23.50 to pay" in counted.text, shop.purchases()) == (200, True, 2)
    assert counted.text.count(" checked") == 3
    assert (booked.status_code, due(shop)) == (303, 2350)
    assert "€42.00, €23.50 to pay" in shop.get(booked.location).text


def test_undo_gives_back_what_paid(shop: Shop, purse: Purse) -> None:
    chosen = everything(shop, purse)
    sale = shop.sell("42,00", scan=shop.scan(moving=True), key="second", **chosen).location.split("=")[1]

    shop.post("/till/undo", purchase=sale)

    again = shop.sell("42,00", scan=_next_scan(shop), key="third", **chosen)
    assert (again.status_code, due(shop)) == (303, 2350)


def _next_scan(shop: Shop) -> str:
    """Scan the static code and let the member allow it: the moving one was used up."""
    scan = shop.scan()
    assert shop.post("/till/ask", scan=scan).status_code == 303
    allow(shop)
    return scan


def test_refused_payment_says_why_keeps_what_was_chosen_and_uses_nothing(shop: Shop, purse: Purse) -> None:
    scan, chosen = shop.scan(moving=True), {**everything(shop, purse), "spend-bonus": "99,00"}

    refused = shop.sell("42,00", scan=scan, key="second", **chosen)

    assert (refused.status_code, "not that much on the card" in refused.text, shop.purchases()) == (409, True, 1)
    assert ('value="99,00"' in refused.text, refused.text.count(" checked")) == (True, 3)
    assert shop.sell("42,00", scan=scan, key="second", **everything(shop, purse)).status_code == 303


@pytest.mark.parametrize("what", ["use", "spend-bonus", "gift"])
def test_members_own_needs_a_scan_that_may_redeem(shop: Shop, purse: Purse, what: str) -> None:
    chosen = {what: everything(shop, purse)[what]}

    answer = shop.sell("42,00", scan=shop.scan(), key="second", **chosen)

    assert (answer.status_code, shop.purchases()) == (409, 1)
    assert "moving code" in answer.text


def test_page_waits_for_the_answer_in_the_app_and_opens_with_it(shop: Shop, purse: Purse) -> None:
    scan = shop.scan()
    page = f"/till/scan/{scan}"
    assert "Ask in the app" in shop.get(page).text

    asked = shop.post("/till/ask", scan=scan)
    waits, state = shop.get(page).text, shop.get(f"{page}/asked").get_json()
    allow(shop, yes=False)
    refused = shop.get(page).text
    shop.post("/till/ask", scan=scan)
    allow(shop)
    opened = shop.get(f"{page}?amount=42,00").text

    assert (asked.location, state, "data-asked" in waits) == (page, {"state": "asked"}, True)
    assert ("The member said: not now." in refused, "Ask again in the app" in refused) == (True, True)
    assert ('name="use"' in opened, 'value="42,00"' in opened, "Ask in" in opened) == (True, True, False)
    assert shop.sell("42,00", scan=scan, key="second", **everything(shop, purse)).status_code == 303


def test_member_who_has_nothing_to_use_is_not_asked(shop: Shop) -> None:
    page = shop.get(f"/till/scan/{shop.scan()}").text

    assert "No coupons to use today" in page
    assert "Ask in the app" not in page
    assert "Code of a coupon or gift card</summary>" in page  # what the member holds in the hand can be typed


def test_another_till_neither_asks_nor_hears(shop: Shop) -> None:
    scan, other = shop.scan(), shop.other(OTHER_KEY)

    assert other.post("/till/ask", data={"scan": scan}, headers=ORIGIN).status_code == 404
    assert other.get(f"/till/scan/{scan}/asked", headers=ORIGIN).status_code == 404


def _manager(shop: Shop) -> str:
    """Give the shop's reseller a manager whose PIN is 4711, and the brand its limits back."""
    with shop.database.unit(shop.brand_id) as session:
        session.get_one(Brand, shop.brand_id).limits = {}
        mine = Till.key_hash == hash_token(KEY)
        here = select(Outlet.reseller_id).join(Till, Till.outlet_id == Outlet.id).where(mine)
        person = Staff(
            name="Maija", email="maija@example.com", role="reseller_manager",
            reseller_id=session.scalars(here).one(),
        )  # fmt: skip
        session.add(person)
        session.flush()
        pins.set_pin(session, person, "4711")
        return person.public_id


def test_manager_approves_a_large_sale_by_pin(shop: Shop) -> None:
    manager, scan = _manager(shop), shop.scan()

    def sell(**more: str) -> TestResponse:
        return shop.sell("400,00", scan=scan, key="large", **more)

    asked, wrong, nobodys = sell(), sell(approver=manager, pin="1234"), sell(pin="4711")
    done = sell(approver=manager, pin="4711")
    again = sell(approver=manager, pin="4711")

    assert [answer.status_code for answer in (asked, wrong, nobodys, done, again)] == [409, 403, 422, 303, 303]
    for page in (asked, wrong, nobodys):
        assert re.search(r"data-approval>.*Maija", page.text, re.S)
    assert "4711" not in nobodys.text
    assert (shop.purchases(), done.location) == (1, again.location)


def test_wrong_pins_are_counted_at_the_page_too(shop: Shop) -> None:
    manager, scan = _manager(shop), shop.scan()

    for _try in range(approvals.WRONG_PINS):
        shop.sell("400,00", scan=scan, key="large", approver=manager, pin="1234")
    locked = shop.sell("400,00", scan=scan, key="large", approver=manager, pin="4711")

    assert (locked.status_code, shop.purchases()) == (429, 0)


def test_gift_card_is_sold_once_and_its_code_shown_pays(shop: Shop) -> None:
    with shop.database.unit(shop.brand_id) as session:
        a_reward(session, "sold", kind="gift_card", face_cents=1000, sold_up_to_cents=5000, settlement_cents=0)
    form = {"reward": "sold", "key": "gift"}

    dear = shop.post("/till/gift-cards", **form, amount="50,01")
    first, again = (shop.post("/till/gift-cards", **form, amount="20,00") for _click in range(2))
    page = shop.get(first.location).text
    found = re.search(r"Its code: ([0-9A-Z ]+)", page)
    assert found is not None
    shop.sell("42,00", code=shop.read(found[1].strip()))

    assert (dear.status_code, "from €10.00 to €50.00" in dear.text, first.location) == (422, True, again.location)
    assert ("Gift card, €20.00" in page, due(shop)) == (True, 2200)
    assert "Its code" not in shop.other(OTHER_KEY).get(first.location, headers=ORIGIN).text
