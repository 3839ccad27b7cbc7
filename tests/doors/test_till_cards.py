"""Serial cards and members' gift cards at the till page: sold once, undone, taken back; plain forms, no JavaScript."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cards.models import ProgramVersion
from app.cards.serial_models import SerialCard
from app.core import clock
from app.rewards import service as rewards
from app.rewards.models import GiftCard
from tests.doors.lunches import LUNCH, done, left, owed, sell
from tests.doors.lunches import lunches as lunches
from tests.doors.shop import ORIGIN, OTHER_KEY, Shop


def test_card_is_sold_once_at_its_price(lunches: Shop) -> None:
    scan = lunches.scan()
    page = lunches.get(f"/till/scan/{scan}/cards").text

    first, again = (sell(lunches, scan=scan, receipt="R 1") for _click in range(2))
    known = lunches.post("/till/cards", scan=scan, item=LUNCH, key="another", receipt="R 1")

    assert f'value="{LUNCH}"' in page
    assert "10 lunches, €90.00" in page
    assert (first, left(lunches), owed(lunches)) == (again, 10, -9000)
    assert "Ten lunches sold, €90.00" in lunches.get(first).text
    assert (known.status_code, "recorded already" in known.text, 'value="R 1"' in known.text) == (409, True, True)


@pytest.mark.parametrize("item", ["", "nothing", "serial:", "serial:lunches:", "serial:coffee:9000", "gift:coffee"])
def test_sale_of_nothing_that_is_sold_here_is_a_sentence(lunches: Shop, item: str) -> None:
    answer = lunches.post("/till/cards", scan=lunches.scan(), item=item, key="k", amount="20,00")

    assert (answer.status_code in (409, 422), 'class="say say--bad"' in answer.text) == (True, True)
    assert (left(lunches), owed(lunches)) == (0, 0)


def test_price_that_has_changed_since_the_page_was_opened_is_told(lunches: Shop) -> None:
    with lunches.database.unit(lunches.brand_id) as session:
        version = session.scalars(select(ProgramVersion).order_by(ProgramVersion.id.desc()).limit(1)).one()
        version.rule = {**version.rule, "price_cents": 9500}

    answer = lunches.post("/till/cards", scan=lunches.scan(), item=LUNCH, key="k")

    assert (answer.status_code, "This card costs €95.00." in answer.text, left(lunches)) == (422, True, 0)


def test_unused_card_is_taken_back_once_by_a_scan_that_may_redeem(lunches: Shop) -> None:
    card, static = done(sell(lunches)), lunches.scan()
    scan = lunches.scan(moving=True)
    pages = [lunches.get(f"/till/scan/{one}/cards").text for one in (static, scan)]

    refused = lunches.post("/till/take-back", serial=card, scan=static)
    first, again = (lunches.post("/till/take-back", serial=card, scan=scan) for _click in range(2))

    assert [f'name="serial" value="{card}"' in page for page in pages] == [False, True]
    assert (refused.status_code, "moving code" in refused.text) == (409, True)
    assert (first.location, again.location) == (f"/till/scan/{scan}?done={card}",) * 2
    assert "Ten lunches taken back. Give back €90.00." in lunches.get(first.location).text
    assert (left(lunches), owed(lunches)) == (0, 0)


def test_card_that_was_used_is_not_taken_back(lunches: Shop) -> None:
    card, scan = done(sell(lunches)), lunches.scan(moving=True)
    lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u")

    answers = [lunches.post("/till/take-back", serial=card, scan=scan), lunches.post("/till/undo", serial=card)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert all("was used or has expired" in answer.text for answer in answers)
    assert card not in lunches.get(f"/till/scan/{scan}/cards").text


def test_sale_of_a_card_is_undone_within_the_minute_without_a_scan(lunches: Shop) -> None:
    card = done(sell(lunches))

    page, undone = lunches.get("/till").text, lunches.post("/till/undo", serial=card)

    assert f'name="serial" value="{card}"' in page
    assert (undone.status_code, left(lunches), owed(lunches)) == (303, 0, 0)
    assert "Give back €90.00" in lunches.get(undone.location).text


def test_gift_card_is_sold_to_the_member_pays_on_the_page_and_is_taken_back_unused(lunches: Shop) -> None:
    scan = lunches.scan(moving=True)
    dear = lunches.post("/till/cards", scan=scan, item="gift:present", key="k", amount="50,01")
    first = sell(lunches, scan=scan, item="gift:present", amount="20,00", key="a")
    spare = done(sell(lunches, scan=scan, item="gift:present", amount="30,00", key="b"))
    page = lunches.get(first).text
    lunches.sell("42,00", scan=scan, key="c", gift=done(first))

    used = lunches.post("/till/take-back", gift=done(first), scan=scan)
    back = lunches.post("/till/take-back", gift=spare, scan=scan)

    assert (dear.status_code, "from €10.00 to €50.00" in dear.text) == (422, True)
    assert ("Gift card sold, €20.00" in page, f'name="gift" value="{done(first)}"' in page) == (True, True)
    assert (used.status_code, back.status_code) == (409, 303)
    assert "Give back €30.00" in lunches.get(back.location).text
    with lunches.database.reading(lunches.brand_id) as session:
        states = [view.state for view in rewards.gift_cards_of(session, lunches.member_id)]
    assert sorted(states) == ["revoked", "used"]


def _bearers(shop: Shop) -> tuple[str, str]:
    """Sell a gift card to who holds its code; return its id and code."""
    sold = done(shop.post("/till/gift-cards", reward="present", amount="20,00", key="bearer").location)
    with shop.database.reading(shop.brand_id) as session:
        card = session.scalars(select(GiftCard).where(GiftCard.public_id == sold)).one()
        return sold, shop.database.keys.text(card.code)


def test_bearers_gift_card_is_taken_back_by_its_code(lunches: Shop) -> None:
    sold, code = _bearers(lunches)
    page = lunches.post("/till/scan", text=code).text
    button = re.search(r'form id="take-back".*?name="code" value="([^"]+)"', page)
    assert button is not None

    first, again = (lunches.post("/till/take-back", code=button[1]) for _click in range(2))

    assert "give €20.00" in page
    assert (first.location, again.location, owed(lunches)) == (f"/till?done={sold}", f"/till?done={sold}", 0)
    assert "Give back €20.00" in lunches.get(first.location).text
    assert "take-back" not in lunches.post("/till/scan", text=code).text


def test_bearers_gift_card_of_which_something_is_used_is_not_taken_back(lunches: Shop) -> None:
    sold, code = _bearers(lunches)
    reading = lunches.read(code)
    lunches.sell("5,00", key="c", code=reading)

    page, answer = lunches.post("/till/scan", text=code).text, lunches.post("/till/take-back", code=reading)

    assert ("€15.00 left" in page, "take-back" in page, answer.status_code) == (True, False, 409)
    assert lunches.post("/till/undo", gift=sold).status_code == 409


def test_other_outlet_takes_nothing_back_and_is_told_nothing(lunches: Shop) -> None:
    card, scan = done(sell(lunches)), lunches.scan(moving=True)
    used = done(lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u").location)
    gift, code = _bearers(lunches)
    other = lunches.other(OTHER_KEY)
    theirs = other.post("/till/scan", data={"text": lunches.spoken}, headers=ORIGIN).location.rsplit("/", 1)[1]
    forms = [{"serial": card}, {"use": used}, {"gift": gift}]

    answers = [
        *(other.post("/till/undo", data=form, headers=ORIGIN) for form in forms),
        *(other.post("/till/take-back", data={**form, "scan": theirs}, headers=ORIGIN) for form in forms),
        other.post("/till/uses", data={"scan": scan, "program": "lunches", "key": "x"}, headers=ORIGIN),
        other.post("/till/cards", data={"scan": scan, "item": LUNCH, "key": "x"}, headers=ORIGIN),
        other.get(f"/till/scan/{scan}/cards", headers=ORIGIN),
    ]

    assert [answer.status_code for answer in answers] == [404] * 9
    page = other.post("/till/scan", data={"text": code}, headers=ORIGIN).text
    assert ("€20.00 left" in page, "take-back" in page) == (True, False)
    assert all("Aino" not in other.get(f"/till?done={one}", headers=ORIGIN).text for one in (card, used, gift))
    assert left(lunches) == 9


def test_scan_of_another_member_takes_nothing_back(lunches: Shop) -> None:
    card = done(sell(lunches))
    scan = lunches.post("/till/members", contact="other@example.com", of_age="yes", key="join").location[-26:]

    answers = [lunches.post("/till/take-back", serial=card, scan=scan), lunches.post("/till/take-back", serial=card)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert left(lunches) == 10


def test_scan_that_is_over_sells_and_uses_nothing(lunches: Shop) -> None:
    scan = lunches.scan(moving=True)

    with clock.moved(by=timedelta(minutes=6)):
        answers = [
            lunches.post("/till/cards", scan=scan, item=LUNCH, key="a"),
            lunches.post("/till/uses", scan=scan, program="lunches", key="b"),
            lunches.get(f"/till/scan/{scan}/cards"),
        ]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert all("scan the card again" in answer.text for answer in answers)


def test_shop_that_sells_nothing_and_member_with_nothing_are_told_so(shop: Shop) -> None:
    scan = shop.scan()

    member, cards = shop.get(f"/till/scan/{scan}").text, shop.get(f"/till/scan/{scan}/cards").text

    assert "No coupons to use today" in member
    assert "This shop sells no cards" in cards
    assert "Nothing was sold or used here" in cards


def test_forms_of_another_site_are_refused(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    evil = {"Origin": "https://evil.example"}

    for path, form in {
        "/till/uses": {"scan": scan, "program": "lunches", "key": "x"},
        "/till/cards": {"scan": scan, "item": LUNCH, "key": "y"},
        "/till/take-back": {"scan": scan, "serial": "x"},
    }.items():
        assert lunches.client.post(path, data=form, headers=evil).status_code == 403

    with lunches.database.reading(lunches.brand_id) as session:
        assert session.scalars(select(SerialCard.used)).all() == [0]
