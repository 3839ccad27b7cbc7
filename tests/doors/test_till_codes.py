"""Codes of coupons and gift cards at the till page: counted once, and in no address."""

import html
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.core.crypto import hash_token
from app.network.models import Till
from tests.doors.purse import Purse, due, everything
from tests.doors.purse import purse as purse
from tests.doors.shop import KEY, ORIGIN, OTHER_KEY, Shop

ADDRESS = re.compile(r'(?:href|action|src|data-page|data-quote)="([^"]*)"')


def test_gift_card_that_is_read_pays_on_the_page_it_was_read_on(shop: Shop, purse: Purse) -> None:
    scan = shop.scan()

    alone = shop.post("/till/scan", text=purse.bearer.code)
    read = shop.post("/till/scan", **{"text": purse.bearer.code, "from": scan})
    page = shop.get(read.location)
    reading = shop.read(purse.bearer.code)
    shop.sell("42,00", scan=scan, key="second", code=reading)

    assert "Gift card, €3.00 left." in alone.text
    assert read.location == f"/till/scan/{scan}?code={reading}"
    assert f'name="code" value="{reading}" checked' in page.text
    assert purse.bearer.code not in page.text
    assert due(shop) == 3900


def test_what_a_sale_has_in_it_outlives_the_next_code(shop: Shop, purse: Purse) -> None:
    scan = shop.scan()
    sale = {"amount": "42,00", "receipt": "R 7", "code": shop.read(purse.bearer.code), "from": scan}

    read = shop.post("/till/scan", text=purse.coupon.code, **sale)
    page = shop.get(read.location).text
    back = re.findall(rf'href="(/till/scan/{scan}[^"]*)"', page)
    both = shop.get(html.unescape(back[0])).text

    assert len(back) == 2
    assert 'name="amount" value="42,00"' in both
    assert 'name="receipt" value="R 7"' in both
    readings = [shop.read(code) for code in (purse.bearer.code, purse.coupon.code)]
    assert all(f'name="code" value="{reading}" checked' in both for reading in readings)


def _tries(shop: Shop) -> int:
    with shop.database.reading(shop.brand_id) as session:
        till_id = session.scalars(select(Till.id).where(Till.key_hash == hash_token(KEY))).one()
    return shop.database.tries(f"coupon:{till_id}", now=clock.now())


@pytest.mark.parametrize("code", ["ABCDEFGHJKLMN", "01M8KWGP1A84SS2793JW51J92Y-0123456789abcdef0123"])
def test_wrong_code_on_a_sale_is_counted_once_and_the_eleventh_waits(shop: Shop, code: str) -> None:
    scan, counted = shop.scan(), []

    for number in range(11):
        answer = shop.sell("4,00", scan=scan, key=f"k{number}", code=code)
        counted.append((answer.status_code, _tries(shop)))

    assert counted == [(422, number) for number in range(1, 11)] + [(429, 10)]
    assert shop.purchases() == 0


def test_looking_at_a_page_is_no_try_at_a_code_and_a_quote_is_one(shop: Shop, purse: Purse) -> None:
    page = f"/till/scan/{shop.scan()}"

    seen = shop.get(f"{page}?code={purse.bearer.code}")
    quoted = shop.get(f"{page}/quote?total_cents=400&code={purse.bearer.code}")

    assert (seen.status_code, "checked" in seen.text) == (200, False)  # no code is told from another
    assert (quoted.status_code, _tries(shop)) == (404, 1)


def test_locked_till_learns_nothing_of_a_right_code(shop: Shop, purse: Purse) -> None:
    for _try in range(10):
        shop.post("/till/scan", text="ABCDEFGHJKLMN")

    answers = [shop.post("/till/scan", text=view.code) for view in (purse.coupon, purse.bearer)]

    assert [answer.status_code for answer in answers] == [429, 429]


def test_reading_of_another_till_pays_nothing(shop: Shop, purse: Purse) -> None:
    reading, other = shop.read(purse.bearer.code), shop.other(OTHER_KEY)
    scan = other.post("/till/scan", data={"text": shop.spoken}, headers=ORIGIN).location.rsplit("/", 1)[1]
    sale = {"scan": scan, "amount": "4,00", "key": "k", "code": reading}

    sold = other.post("/till/purchase", data=sale, headers=ORIGIN)

    assert (sold.status_code, "no such coupon or gift card" in sold.text, shop.purchases()) == (422, True, 1)
    assert other.get(f"/till/coupon/{shop.read(purse.coupon.code)}", headers=ORIGIN).status_code == 404


class Walk:
    """Goes through the page as a browser does, and keeps every address on the way."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.addresses: list[str] = []

    def _kept(self, ask: Callable[[], TestResponse], path: str) -> TestResponse:
        answer = ask()
        self.addresses += [path, answer.location or "", *map(html.unescape, ADDRESS.findall(answer.text))]
        return self.get(answer.location) if answer.location else answer

    def get(self, path: str) -> TestResponse:
        return self._kept(lambda: self.shop.get(path), path)

    def post(self, path: str, **form: str) -> TestResponse:
        return self._kept(lambda: self.shop.post(path, **form), path)


def test_no_code_stands_in_an_address_of_the_till_page(shop: Shop, purse: Purse) -> None:
    free, chosen = shop.coupon(), everything(shop, purse)
    walk, scan = Walk(shop), shop.scan(moving=True)
    codes = [purse.coupon.code, purse.gift.code, purse.bearer.code, free.code]
    sale = {"from": scan, "amount": "42,00", "code": chosen["code"]}

    for code in codes:
        walk.post("/till/scan", text=code)
        page = walk.post("/till/scan", text=code, **sale)
        for onward in {html.unescape(found) for found in re.findall(r'href="(/till/scan/\w+\?[^"]*)"', page.text)}:
            assert "42,00" in walk.get(onward).text
    walk.post("/till/purchase", scan=scan, key="count", count="1", amount="42,00", **chosen)
    walk.post("/till/purchase", scan=scan, key="wrong", amount="x", **chosen)
    walk.post("/till/redeem", **{"code": free.code, "key": "free", "from": f"/till/scan/{scan}"})
    walk.post("/till/purchase", scan=scan, key="booked", amount="42,00", **chosen)

    told = "\n".join(walk.addresses)
    assert len(walk.addresses) > 100
    assert f"code={chosen['code']}" in told
    assert [code for code in codes if code in told] == []
    assert due(shop) == 2350
