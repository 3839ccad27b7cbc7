"""The till page: log-in, scans, sales that happen once, undo; plain forms, no JavaScript."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.runtime import Runtime
from app.ledger.models import Purchase, Refund
from app.network.models import Brand
from app.network.service import outlet_by_id
from tests.apps import a_client
from tests.builders import a_till
from tests.doors.shop import FOREIGN_KEY, KEY, ORIGIN, OTHER_KEY, Shop


def test_till_that_is_logged_out_is_led_to_the_log_in(runtime: Runtime) -> None:
    client = a_client(runtime)

    assert client.get("/till").location == "/till/login"
    assert client.post("/till/purchase", headers=ORIGIN).location == "/till/login"
    assert (client.get("/till/ping").status_code, client.get("/till/scan/X/quote").status_code) == (401, 401)


def test_wrong_key_is_refused_and_the_eleventh_has_to_wait_but_a_right_one_never(shop: Shop) -> None:
    client = shop.client.application.test_client()

    answers = [client.post("/till/login", data={"key": f"wrong {n}"}, headers=ORIGIN) for n in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "Try again in" in answers[-1].text
    # The same address may be a whole shopping center: a dead till must not lock its neighbors out.
    assert client.post("/till/login", data={"key": KEY}, headers=ORIGIN).status_code == 303
    with clock.moved(by=timedelta(seconds=61)):
        assert client.post("/till/login", data={"key": "wrong"}, headers=ORIGIN).status_code == 401


def test_log_out_ends_the_session_in_the_database(shop: Shop) -> None:
    cookie = shop.client.get_cookie("leima-till")
    assert cookie is not None

    shop.post("/till/logout")
    shop.client.set_cookie("leima-till", cookie.value)

    assert shop.get("/till").location == "/till/login"


def test_sale_stamps_the_card_and_says_so(shop: Shop) -> None:
    answer = shop.sell("42,00")
    page = shop.get(answer.location)

    assert (answer.status_code, shop.balance()) == (303, 0)  # ten stamps fill the card of ten
    assert "+10 stamps" in page.text
    assert "Card filled: 1 coupon" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_second_click_books_nothing_and_shows_the_same_result(shop: Shop) -> None:
    scan = shop.scan()

    first, second = (shop.sell("8,00", scan=scan, key="one-key") for _click in range(2))

    assert (first.status_code, second.status_code, first.location) == (303, 303, second.location)
    assert (shop.purchases(), shop.balance()) == (1, 2)


def test_same_page_sent_again_with_another_amount_books_nothing(shop: Shop) -> None:
    scan = shop.scan()
    shop.sell("8,00", scan=scan, key="one-key")

    answer = shop.sell("80,00", scan=scan, key="one-key")

    assert (answer.status_code, shop.purchases()) == (409, 1)
    assert "recorded already" in answer.text


@pytest.mark.parametrize("amount", ["", "abc", "-5", "4,567", "99999999999", "1000000,01"])
def test_absurd_amount_is_a_sentence_on_the_page(shop: Shop, amount: str) -> None:
    answer = shop.sell(amount, key="bad")

    assert (answer.status_code, shop.purchases()) == (422, 0)
    assert "amount-error" in answer.text
    assert shop.sell("4,00", key="bad").status_code == 303  # a refusal has not used the key up


def test_known_receipt_is_refused(shop: Shop) -> None:
    shop.sell("8,00", key="a", receipt="77")

    answer = shop.sell("8,00", key="b", receipt="77")

    assert (answer.status_code, shop.purchases(), shop.balance()) == (409, 1, 2)
    assert "recorded already" in answer.text


def test_sales_without_receipts_do_not_meet(shop: Shop) -> None:
    for key in "abc":
        assert shop.sell("4,00", key=key).status_code == 303

    assert shop.purchases() == 3


def test_sale_below_one_stamp_says_what_is_missing(shop: Shop) -> None:
    page = shop.get(shop.sell("3,00").location)

    assert "No stamps" in page.text
    assert "short of the first stamp" in page.text


def test_quote_says_what_the_button_will_do(shop: Shop) -> None:
    scan = shop.scan()

    small, full = (shop.get(f"/till/scan/{scan}/quote?total_cents={cents}").get_json() for cents in (800, 4400))

    assert small == {"label": "Give 2 stamps", "sub": "becomes 2 of 10", "reason": "", "award": 2, "due": ""}
    assert full["sub"] == "fills the card: 1 coupon, then 1 of 10"
    assert shop.get(f"/till/scan/{scan}/quote?total_cents=x").status_code == 422
    assert shop.purchases() == 0


def test_undo_within_the_minute_takes_the_sale_back(shop: Shop) -> None:
    sale = shop.sell("8,00").location.rsplit("=", 1)[1]

    first, second = (shop.post("/till/undo", purchase=sale) for _click in range(2))

    assert first.location == second.location == f"/till?done={sale}"
    assert shop.balance() == 0
    assert "Sale undone" in shop.get(first.location).text


def test_undo_after_the_minute_is_refused(shop: Shop) -> None:
    sale = shop.sell("8,00").location.rsplit("=", 1)[1]

    with clock.moved(by=timedelta(seconds=61)):
        answer = shop.post("/till/undo", purchase=sale)
        assert "data-left" not in shop.get("/till").text

    assert (answer.status_code, shop.balance()) == (409, 2)
    assert "minute to undo" in answer.text


def test_undo_of_another_till_of_the_same_outlet_is_refused(shop: Shop) -> None:
    sale = shop.sell("8,00").location.rsplit("=", 1)[1]
    with shop.database.unit(shop.brand_id) as session:
        outlet = outlet_by_id(session, session.scalars(select(Purchase.outlet_id)).one())
        a_till(session, outlet=outlet, key="till_next_to_it_0123456789")

    answer = shop.other("till_next_to_it_0123456789").post("/till/undo", data={"purchase": sale}, headers=ORIGIN)

    assert (answer.status_code, shop.balance()) == (404, 2)


@pytest.mark.parametrize("key", [OTHER_KEY, FOREIGN_KEY])
def test_scan_and_sale_of_another_outlet_or_brand_are_not_found(shop: Shop, key: str) -> None:
    scan = shop.scan(moving=True)
    sale = shop.sell("8,00", scan=scan).location.rsplit("=", 1)[1]
    coupon = shop.coupon()
    other = shop.other(key)

    answers = [
        other.get(f"/till/scan/{scan}"),
        other.get(f"/till/scan/{scan}/quote?total_cents=400"),
        other.post("/till/purchase", data={"scan": scan, "amount": "4", "key": "x"}, headers=ORIGIN),
        other.post("/till/undo", data={"purchase": sale}, headers=ORIGIN),
        other.post("/till/redeem", data={"scan": scan, "coupon": coupon.coupon.public_id, "key": "y"}, headers=ORIGIN),
        other.post("/till/redeem", data={"scan": scan, "code": coupon.code, "key": "z"}, headers=ORIGIN),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert "Aino" not in other.get(f"/till?done={sale}").text
    assert (shop.purchases(), shop.balance()) == (1, 2)


def test_unknown_codes_are_locked_after_thirty_in_a_minute(shop: Shop) -> None:
    answers = [shop.post("/till/scan", text="ABCDEFGH").status_code for _try in range(31)]

    assert answers == [422] * 30 + [429]
    assert shop.post("/till/scan", text=shop.spoken).status_code == 429


def test_scan_of_more_than_five_minutes_is_read_again(shop: Shop) -> None:
    scan = shop.scan()

    with clock.moved(by=timedelta(minutes=5, seconds=1)):
        answers = [shop.get(f"/till/scan/{scan}"), shop.sell("4,00", scan=scan)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert all("scan the card again" in answer.text for answer in answers)
    assert shop.purchases() == 0


@pytest.mark.parametrize("text", ["", "x" * 300, "HTTPS://X/M/", "'; DROP TABLE member"])
def test_odd_text_is_no_code_and_no_crash(shop: Shop, text: str) -> None:
    assert shop.post("/till/scan", text=text).status_code == 422


def test_form_from_another_site_is_refused(shop: Shop) -> None:
    scan = shop.scan()

    answer = shop.client.post(
        "/till/purchase", data={"scan": scan, "amount": "4", "key": "x"}, headers={"Origin": "https://evil.example"}
    )

    assert (answer.status_code, shop.purchases()) == (403, 0)


def test_form_without_a_key_books_nothing(shop: Shop) -> None:
    answer = shop.sell("4,00", key="")

    assert (answer.status_code, shop.purchases()) == (422, 0)


def test_log_in_at_another_brand_ends_the_old_session(shop: Shop) -> None:
    cookie = shop.client.get_cookie("leima-till")
    assert cookie is not None

    shop.post("/till/login", key=FOREIGN_KEY)
    old = shop.client.application.test_client()
    old.set_cookie("leima-till", cookie.value)

    assert old.get("/till").location == "/till/login"
    assert "Valo" in shop.get("/till").text


def test_brand_colors_are_the_tills_own_brand(shop: Shop) -> None:
    with shop.database.unit() as session:
        session.scalars(select(Brand).where(Brand.slug == "valo")).one().brand_color = "#ffee00"

    assert "--brand:#183f8c" in shop.get("/till/brand.css").text
    assert "--brand:#ffee00;" in shop.other(FOREIGN_KEY).get("/till/brand.css").text


def test_refund_rows_are_one_for_each_undo(shop: Shop) -> None:
    sale = shop.sell("8,00").location.rsplit("=", 1)[1]
    for _click in range(3):
        shop.post("/till/undo", purchase=sale)

    with shop.database.reading(shop.brand_id) as session:
        assert session.scalar(select(func.count(Refund.id))) == 1


def test_sale_that_was_undone_is_no_visit(shop: Shop) -> None:
    sale = shop.sell("8,00").location.rsplit("=", 1)[1]
    before = shop.get(f"/till/scan/{shop.scan()}").text
    shop.post("/till/undo", purchase=sale)

    after = shop.get(f"/till/scan/{shop.scan()}").text

    assert ("Last visit today" in before, "First visit" in after) == (True, True)
