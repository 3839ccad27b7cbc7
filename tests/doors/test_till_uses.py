"""Serial cards at the till page: used, undone, taken back; plain forms, no JavaScript."""

import re

import pytest
from sqlalchemy import select

from app.cards.serial_models import SerialUse
from app.core import clock
from tests.doors.lunches import MINUTE, done, left, sell
from tests.doors.lunches import lunches as lunches
from tests.doors.purse import allow
from tests.doors.shop import Shop


def test_one_press_uses_one_and_a_second_click_is_harmless(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    page = lunches.get(f"/till/scan/{scan}").text

    first, again = (lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u") for _click in range(2))

    assert ("Ten lunches</h2><p>10 lunches left<" in page, 'max="10"' in page) == (True, True)
    assert (first.status_code, first.location, left(lunches)) == (303, again.location, 9)
    assert first.location.startswith(f"/till/scan/{scan}?done=")
    after = lunches.get(first.location).text
    assert "1 lunch used, 9 lunches left" in after
    assert re.search(r"last--here.*1 lunch used</span> – Aino", after, re.S)
    assert "1 lunch used" in lunches.get(f"/till?done={done(first.location)}").text


def test_several_at_once_over_two_cards_are_undone_together(lunches: Shop) -> None:
    for key in ("sell-1", "sell-2"):
        sell(lunches, key=key)
    scan = lunches.scan(moving=True)
    used = done(lunches.post("/till/uses", scan=scan, program="lunches", uses="12", key="u").location)
    assert left(lunches) == 8

    first, again = (lunches.post("/till/undo", use=used, scan=scan) for _click in range(2))

    assert (first.location, left(lunches)) == (again.location, 20)
    assert first.location == f"/till/scan/{scan}?done={used}"
    assert "12 lunches given back, 20 lunches left" in lunches.get(first.location).text
    with lunches.database.reading(lunches.brand_id) as session:
        assert session.scalars(select(SerialUse.uses).order_by(SerialUse.id)).all() == [10, 2]


def test_what_a_sale_has_in_it_outlives_a_use(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)

    used = lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u", amount="8,00", receipt="R 7")

    page = lunches.get(used.location).text
    assert all(f'value="{typed}"' in page for typed in ("8,00", "R 7"))


@pytest.mark.parametrize(
    ("uses", "status", "said"),
    [
        ("11", 409, "not that many uses left"),
        ("0", 422, "how many are used"),
        ("-1", 422, "how many are used"),
        ("1,5", 422, "how many are used"),
        ("", 422, "how many are used"),
        ("99999", 422, "how many are used"),
    ],
)
def test_use_of_too_many_or_of_nothing_says_why_and_uses_nothing(
    lunches: Shop, uses: str, status: int, said: str
) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)

    answer = lunches.post("/till/uses", scan=scan, program="lunches", uses=uses, key="u")

    assert (answer.status_code, said in answer.text, left(lunches)) == (status, True, 10)
    assert lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u").status_code == 303


def test_same_page_sent_again_with_another_number_uses_nothing_more(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u")

    answer = lunches.post("/till/uses", scan=scan, program="lunches", uses="2", key="u")

    assert (answer.status_code, "recorded already" in answer.text, left(lunches)) == (409, True, 9)


def test_static_code_shows_what_is_left_and_uses_after_the_member_allows(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan()
    page = lunches.get(f"/till/scan/{scan}").text

    refused = lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u")
    lunches.post("/till/ask", scan=scan)
    allow(lunches)
    used = lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u")

    assert ("10 lunches left" in page, "/till/uses" in page, "Ask in the app" in page) == (True, False, True)
    assert (refused.status_code, "moving code" in refused.text) == (409, True)
    assert (used.status_code, left(lunches)) == (303, 9)


def test_undo_after_the_minute_is_refused_and_the_members_page_takes_it_back(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    used = done(lunches.post("/till/uses", scan=scan, program="lunches", uses="3", key="u").location)

    with clock.moved(by=MINUTE):
        assert 'name="use"' not in lunches.get("/till").text
        late = lunches.post("/till/undo", use=used)
        static = lunches.scan()
        page = lunches.get(f"/till/scan/{static}/cards").text
        back = lunches.post("/till/take-back", use=used, scan=static)

    assert (late.status_code, "minute to undo this is over" in late.text) == (409, True)
    assert f'name="use" value="{used}"' in page
    assert (back.location, left(lunches)) == (f"/till/scan/{static}?done={used}", 10)


def test_use_is_undone_from_the_first_page_too(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    used = done(lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u").location)

    page = lunches.get("/till").text
    undone = lunches.post("/till/undo", use=used)

    assert f'name="use" value="{used}"' in page
    assert (undone.location, left(lunches)) == (f"/till?done={used}", 10)
    assert "1 lunch given back" in lunches.get(undone.location).text


def test_use_can_be_undone_after_a_later_sale_was_undone(lunches: Shop) -> None:
    sell(lunches)
    scan = lunches.scan(moving=True)
    used = done(lunches.post("/till/uses", scan=scan, program="lunches", uses="1", key="u").location)
    sale = done(lunches.sell("8,00", scan=scan, key="sale").location)

    newest = lunches.get("/till").text
    lunches.post("/till/undo", purchase=sale)

    assert f'name="purchase" value="{sale}"' in newest
    assert f'name="use" value="{used}"' in lunches.get("/till").text
