"""The console's flags: what is to be judged, once, by those who may; and the cardboard cards."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards import by_hand, service
from app.cards.misuse_models import Flag
from app.core import clock
from app.core.i18n import LANGUAGES
from app.ledger.models import Account
from app.ledger.service import Basket
from app.members.models import Member
from app.network.models import Brand, Outlet, Reseller, Staff, Till
from tests.builders import a_member
from tests.doors.console import ORIGIN, Console


def post(console: Console, path: str) -> TestResponse:
    return console.client.post(path, headers=ORIGIN)


def a_cut_sale(console: Console) -> str:
    """Let a member buy 31 stamps at an offline till; return the flag."""
    with console.database.unit(console.brand_id) as session:
        member, till = a_member(session, first_name="Aamu"), session.scalars(select(Till)).first()
        assert till is not None
        session.get_one(Outlet, till.outlet_id).name = "Meri Kallio"
        basket = Basket(12_400, "R-1", clock.now() - timedelta(minutes=2))
        wishes = service.Wishes(offline=True)
        session.get_one(Brand, console.brand_id).limits = {}
        session.flush()
        service.record_purchase(session, basket, member=member, till=till, wishes=wishes)
        return session.scalars(select(Flag.public_id)).one()


def balance(console: Console) -> int:
    with console.database.reading(console.brand_id) as session:
        return session.scalars(select(Account.balance)).one()


def test_page_without_flags_says_so_in_every_language(console: Console) -> None:
    console.log_in()

    pages = {
        language: console.client.get("/brand/flags", headers={**ORIGIN, "Accept-Language": language}).text
        for language in LANGUAGES
    }

    said = {"en": "Nothing to judge.", "fi": "Ei mitään ratkaistavaa.", "sv": "Inget att avgöra."}
    assert [language for language in LANGUAGES if said[language] not in pages[language]] == []


def test_flag_shows_member_what_where_and_when_and_is_approved_once(console: Console) -> None:
    flag = a_cut_sale(console)
    console.log_in()
    page = console.get("/brand/flags").text

    for text in ("Aamu", "Meri Kallio", "So much at once without a manager’s approval", "€124.00", "31 stamps"):
        assert text in page
    assert post(console, f"/brand/flags/{flag}/approve").location == "/brand/flags?done=approved"
    assert balance(console) == 1  # 31 stamps fill three cards of ten
    for what in ("approve", "reverse"):
        assert post(console, f"/brand/flags/{flag}/{what}").location == "/brand/flags?done=before"
    assert balance(console) == 1
    after = console.get("/brand/flags?done=before").text
    assert "This was judged before; nothing changed." in after
    assert "Kaisa Salo" in after
    assert "Nothing to judge." in after


def test_reversed_flag_is_told_as_taken_back(console: Console) -> None:
    flag = a_cut_sale(console)
    console.log_in()

    assert post(console, f"/brand/flags/{flag}/reverse").location == "/brand/flags?done=reversed"

    assert "taken back" in console.get("/brand/flags").text


@pytest.mark.parametrize("role", ["marketing", "sales"])
def test_marketing_and_sales_look_and_judge_nothing(console: Console, role: str) -> None:
    flag = a_cut_sale(console)
    console.person("looks@meri.example", role)
    console.log_in("looks@meri.example")

    page = console.get("/brand/flags")

    assert page.status_code == 200
    assert f"/brand/flags/{flag}" not in page.text
    assert [post(console, f"/brand/flags/{flag}/{what}").status_code for what in ("approve", "reverse")] == [403, 403]


def test_finance_judges(console: Console) -> None:
    flag = a_cut_sale(console)
    console.person("finance@meri.example", "finance")
    console.log_in("finance@meri.example")

    assert post(console, f"/brand/flags/{flag}/approve").location == "/brand/flags?done=approved"


def test_form_of_another_site_is_refused_and_a_stranger_sees_nothing(console: Console) -> None:
    flag = a_cut_sale(console)
    assert post(console, f"/brand/flags/{flag}/approve").location.startswith("/brand/login")
    console.log_in()

    evil = console.client.post(f"/brand/flags/{flag}/approve", headers={"Origin": "https://evil.example"})

    assert evil.status_code == 403
    assert post(console, "/brand/flags/7ZZZZZZZZZZZZZZZZZZZZZZZZZ/approve").status_code == 404
    console.person("kaisa@valo.example", brand_id=console.foreign_id)
    console.log_in("kaisa@valo.example")
    assert post(console, f"/brand/flags/{flag}/approve").status_code == 404
    assert "Aamu" not in console.get("/brand/flags").text


def test_cardboard_cards_are_listed_with_who_approved(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        till = session.scalars(select(Till)).first()
        assert till is not None
        reseller = session.scalars(select(Reseller.id)).first()
        people = [
            Staff(email=f"{name}@meri.example".lower(), name=name, role=role, reseller_id=reseller)
            for name, role in (("Elli", "cashier"), ("Jari", "reseller_manager"))
        ]
        session.add_all(people)
        session.flush()
        by_hand.move_cardboard(
            session, a_member(session, first_name="Aamu"), till=till, program="coffee", stamps=7,
            cashier=people[0].public_id, approver=people[1].public_id,
        )  # fmt: skip
    console.log_in()

    page = console.get("/brand/flags").text

    assert [text for text in ("Aamu", "7 stamps", "Coffee card", "Elli", "Jari") if text not in page] == []


def test_member_of_a_flag_leads_to_the_timeline_that_says_why(console: Console) -> None:
    a_cut_sale(console)
    with console.database.reading(console.brand_id) as session:
        member = session.scalars(select(Member.public_id)).one()
    console.log_in()

    assert "More than 30 at once needs a manager’s approval" in console.get(f"/brand/members/{member}").text
