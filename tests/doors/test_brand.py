"""The brand console: what its people see, and whose members are nobody's business."""

import pytest
from sqlalchemy import select

from app.cards.service import record_purchase
from app.core import clock
from app.ledger.service import Basket
from app.members.models import Contact, Member
from app.network.models import Brand, Till
from tests.builders import a_member, a_proved_member
from tests.doors.console import Console


def _buy(console: Console, member_id: int, cents: int) -> None:
    with console.database.unit(console.brand_id) as session:
        till = session.scalars(select(Till)).first()
        assert till is not None
        record_purchase(
            session, Basket(cents, f"r{cents}", clock.now()), member=session.get_one(Member, member_id), till=till
        )


def _member(console: Console, brand_id: int, **fields: object) -> Member:
    with console.database.unit(brand_id) as session:
        return a_member(session, **fields)


def test_dashboard_shows_the_figures_with_their_tables(console: Console) -> None:
    _buy(console, _member(console, console.brand_id).id, 4400)
    console.log_in()

    page = console.get("/brand?days=7")

    assert page.headers["Cache-Control"] == "no-store"
    assert "11 stamps in this period; there is nothing to compare with yet." in page.text
    assert page.text.count("<table") == 5
    assert 'aria-current="true">7 days' in page.text
    assert "Kaisa Salo" in page.text
    assert "Administrator" in page.text


@pytest.mark.parametrize("days", ["", "31", "-7", "x", "７"])
def test_odd_period_is_thirty_days(console: Console, days: str) -> None:
    console.log_in()

    assert 'aria-current="true">30 days' in console.get(f"/brand?days={days}").text


HALF, WHOLE = {"done": 7, "of": 99}, {"done": 99, "of": 99}


@pytest.mark.parametrize(("mark", "shown"), [(None, False), (HALF, True), (WHOLE, False)])
def test_history_that_loads_is_shown_until_it_is_there(
    console: Console, mark: dict[str, int] | None, shown: bool
) -> None:
    with console.database.unit() as session:
        brand = session.scalars(select(Brand).where(Brand.slug == "meri")).one()
        brand.settings = {"history": mark} if mark else {}
    console.log_in()

    assert ("<progress" in console.get("/brand").text) is shown


def test_list_shows_masked_contacts_and_leads_to_the_member(console: Console) -> None:
    row = _member(console, console.brand_id)
    with console.database.unit(console.brand_id) as session:
        session.scalars(select(Contact)).one().value = "aino.salo@example.com"
    console.log_in()

    page = console.get("/brand/members").text

    assert f'href="/brand/members/{row.public_id}"' in page
    assert "a•••@example.com" in page
    assert "aino.salo" not in page


def test_pages_of_fifty_keep_the_search(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        for _number in range(51):
            a_member(session, first_name="Aino")
    console.log_in()

    first = console.get("/brand/members?q=ain").text
    second = console.get("/brand/members?q=ain&page=2").text

    assert "1–50 of 51" in first
    assert "/brand/members?q=ain&amp;page=2" in first
    assert "51–51 of 51" in second
    assert "/brand/members?q=ain&amp;page=1" in second


def test_timeline_tells_purchases_coupons_consents_and_joining(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        row = a_proved_member(session, first_name="Aino", consents=frozenset({"email"}), source="poster")
    _buy(console, row.id, 4400)
    console.log_in()

    page = console.get(f"/brand/members/{row.public_id}").text

    for words in ("Purchase at", "+11 stamps", "Got a coupon: Free coffee", "Email: allowed", "from a poster", "44.00"):
        assert words in page
    assert "aino@example.com" not in page


def test_member_who_ticked_nothing_gave_no_consent(console: Console) -> None:
    row = _member(console, console.brand_id)
    console.log_in()

    assert "None given." in console.get(f"/brand/members/{row.public_id}").text


def test_long_timeline_is_shown_in_parts(console: Console) -> None:
    row = _member(console, console.brand_id)
    for number in range(70):
        _buy(console, row.id, 100 + number)
    console.log_in()

    short = console.get(f"/brand/members/{row.public_id}").text
    long = console.get(f"/brand/members/{row.public_id}?show=180").text

    assert short.count("Purchase at") == 60
    assert f"/brand/members/{row.public_id}?show=180" in short
    assert long.count("Purchase at") == 70
    assert "Show older" not in long


def test_merged_card_leads_to_the_member_it_became(console: Console) -> None:
    kept, newcomer = _member(console, console.brand_id), _member(console, console.brand_id)
    with console.database.unit(console.brand_id) as session:
        row = session.get_one(Member, newcomer.id)
        row.state, row.merged_into_id = "merged", kept.id
    console.log_in()

    assert console.get(f"/brand/members/{newcomer.public_id}").location == f"/brand/members/{kept.public_id}"


@pytest.mark.parametrize("shape", ["{id}", "{id}x", "..%2f..", "' OR 1=1"])
def test_stranger_is_not_found(console: Console, shape: str) -> None:
    foreign = _member(console, console.foreign_id, first_name="Stranger")
    console.log_in()

    answer = console.get(f"/brand/members/{shape.format(id=foreign.public_id)}")

    assert (answer.status_code, "Stranger" in answer.text) == (404, False)
    assert "Nobody matches" in console.get("/brand/members?q=Stranger").text


def test_name_and_search_are_shown_as_text(console: Console) -> None:
    console.log_in()

    assert "<b>x" not in console.get("/brand/members?q=<b>x").text
