"""Outlets and people in the console: ids that the till API takes, for everybody of the brand, and no secret."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.i18n import LANGUAGES
from app.ledger.models import Purchase
from app.network import pins, tills
from app.network.models import BRAND_ROLES, Outlet, Reseller, Staff, Till
from app.reports import directory
from tests.builders import a_member, a_till
from tests.doors.console import ORIGIN, Console
from tests.doors.tillside import TillSide
from tests.walls.misuse import PIN
from tests.walls.world import RECEIPT

PAGES = ("/brand/outlets", "/brand/people")
ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
ID = re.compile(r"<code>([0-9A-Z]{26})</code>")


def console_page(till: TillSide, path: str) -> str:
    """Return a page of the console as the brand's administrator sees it."""
    till.client.set_cookie("leima-brand", till.side.staff_cookie)
    page = till.client.get(path, headers=ORIGIN)
    assert page.status_code == 200
    return page.text


def id_of(page: str, *words: str) -> str:
    """Return the id in the one row of a page that has these words."""
    rows = [row for row in ROW.findall(page) if all(word in row for word in words)]
    assert len(rows) == 1, rows
    found = ID.findall(rows[0])
    assert len(found) == 1
    return str(found[0])


def rows_with(console: Console, path: str, word: str) -> str:
    return "".join(row for row in ROW.findall(console.get(path).text) if word in row)


def test_ids_on_the_pages_are_those_that_the_till_api_takes(till: TillSide) -> None:
    people = console_page(till, "/brand/people")
    cashier, manager = id_of(people, "Elli Virta"), id_of(people, "Jari Mäkinen")
    counter = id_of(console_page(till, "/brand/outlets?q=Kallio"), "Counter")
    by_hand = {"program": "coffee", "cashier": cashier}

    stamp = till.post("/stamps", {"scan": till.scan(), **by_hand, "reason": "goodwill"})
    approval = {"staff": manager, "pin": PIN}
    moved = till.post("/cardboard-cards", {"scan": till.scan(), **by_hand, "stamps": 3, "approval": approval})
    sold = {"till": counter, "receipt": RECEIPT, "local_date": clock.now().date().isoformat()}
    refund = till.post("/refunds", sold)

    assert [answer.status_code for answer in (stamp, moved, refund)] == [201, 201, 201]
    assert refund.json is not None
    assert refund.json["purchase"] == till.side.tills[0].purchase


def test_document_of_the_till_api_names_the_page_by_its_title(till: TillSide) -> None:
    schemas, told = till.document()["components"]["schemas"], "by the id on the console’s page “Outlets and people”"
    lacking = [
        f"{name}.{key}"
        for name, schema in schemas.items()
        for key, value in schema["properties"].items()
        if key in ("cashier", "staff", "till") and told not in value["description"]
    ]

    assert lacking == []
    assert "<h1>Outlets and people</h1>" in console_page(till, "/brand/outlets")


@pytest.mark.parametrize("role", BRAND_ROLES)
def test_everybody_of_the_brand_looks_and_administrators_see_and_search_emails(console: Console, role: str) -> None:
    console.person("elli.virta@kulma.example", "cashier")
    console.person("looks@meri.example", role)
    console.log_in("looks@meri.example")

    pages = [console.get(path) for path in (*PAGES, "/brand/people?q=elli.virta")]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert [("elli.virta@kulma.example" in page.text) for page in pages[1:]] == [role == "brand_admin"] * 2


def test_a_resellers_person_and_a_stranger_see_nothing(console: Console) -> None:
    console.person("jari@kulma.example", "reseller_manager")
    console.log_in("jari@kulma.example")

    assert [console.get(path).status_code for path in PAGES] == [303, 303]


def test_rows_of_another_brand_are_not_shown_nor_found(console: Console) -> None:
    with console.database.reading(console.foreign_id) as session:
        till, outlet = session.scalars(select(Till)).one(), session.scalars(select(Outlet)).one()
    console.person("kaisa@valo.example", brand_id=console.foreign_id)
    console.log_in()

    pages = [console.get(path).text for path in (*PAGES, f"/brand/outlets?q={till.public_id}")]

    assert [text for text in (outlet.name, "kaisa@valo.example") if text in "".join(pages)] == []
    assert till.public_id not in pages[0]
    assert "No outlet matches." in pages[2]
    assert console.get("/brand/people?q=kaisa@valo.example").text.count("Nobody matches.") == 1


def test_no_key_pin_password_or_hash_is_on_the_pages(till: TillSide) -> None:
    with till.database.reading(till.side.brand_id) as session:
        secrets = [one.key for one in till.side.tills]
        secrets += [key for key in session.scalars(select(Till.key_hash)) if key]
        people = session.scalars(select(Staff)).all()
        secrets += [sealed for one in people for sealed in (one.pin_hash, one.password_hash) if sealed]
    shown = "".join(console_page(till, path) for path in PAGES)

    assert len(secrets) == 10
    assert [secret for secret in secrets if secret in shown] == []
    assert f">{PIN}<" not in shown


def test_till_tells_whether_it_has_a_key_and_when_it_sold_last(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        till = session.scalars(select(Till)).one()
        outlet = session.get_one(Outlet, till.outlet_id)
        new, ended = a_till(session, outlet=outlet), a_till(session, outlet=outlet)
        till.name, new.name, new.key_hash, ended.name = "Sells", "New", None, "Ended"
        with clock.moved(to=clock.now() - timedelta(days=40)):
            tills.revoke_till_key(session, ended)
        for number, day in enumerate(("2026-03-05", "2026-02-28")):
            at = clock.now()
            session.add(
                Purchase(
                    till_id=till.id, outlet_id=outlet.id, member_id=a_member(session).id, receipt=f"R-{number}",
                    local_date=at.fromisoformat(day).date(), occurred_at=at, recorded_at=at, total_cents=1, due_cents=1,
                )
            )  # fmt: skip
    console.log_in()

    sells, fresh, over = (rows_with(console, "/brand/outlets", name) for name in ("Sells", "New", "Ended"))

    assert ("has a key" in sells, "5 Mar 2026" in sells) == (True, True)
    assert ("no key yet" in fresh, "no sale yet" in fresh) == (True, True)
    assert re.search(r"ended \d+ \w+ 20\d\d", over)


def test_person_tells_role_employer_secrets_that_are_set_and_leaving(console: Console) -> None:
    for email, role in (("jari", "reseller_manager"), ("elli", "cashier"), ("gone", "marketing")):
        console.person(f"{email}@people.example", role)
    with console.database.unit(console.brand_id) as session:
        people = {row.email.split("@")[0]: row for row in session.scalars(select(Staff))}
        pins.set_pin(session, people["jari"], "4711")
        people["elli"].password_hash = people["gone"].password_hash = None
        people["gone"].ended_at = clock.now()
        reseller = session.scalars(select(Reseller.name)).one()
    console.log_in()

    jari, elli, gone, kaisa = (
        rows_with(console, "/brand/people", f"{name}@") for name in ("jari", "elli", "gone", "kaisa")
    )

    assert (jari.count("is set"), "Manager" in jari, reseller in jari) == (2, True, True)
    assert ("is set" in elli, "not set" in elli, "Cashier" in elli) == (False, False, True)
    assert ("left " in gone, gone.count("not set"), "Meri Roastery" in gone) == (True, 1, True)
    assert (kaisa.count("is set"), kaisa.count("not set")) == (1, 1)  # an administrator may have a PIN


def test_lists_are_paged_and_keep_the_search(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        reseller = session.scalars(select(Reseller)).one()
        for number in range(directory.PAGE + 1):
            name = f"Kulma {number:02}"
            session.add(Outlet(slug=f"k{number}", name=name, reseller_id=reseller.id))
            session.add(Staff(email=f"{number}@kulma.example", name=name, role="cashier", reseller_id=reseller.id))
    console.log_in()

    for path in PAGES:
        first, second = (console.get(f"{path}?q=kulma&page={number}").text for number in (1, 2))
        assert f'href="{path}?q=kulma&amp;page=2" rel="next"' in first
        assert ("1–50 of 51" in first, "51–51 of 51" in second) == (True, True)
        assert ("Kulma 49" in first, "Kulma 50" in first, "Kulma 50" in second) == (True, False, True)
    assert "No till yet." in first or "No till yet." in console.get("/brand/outlets").text


def test_a_network_that_is_empty_says_where_it_comes_from_in_every_language(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        for model in (Till, Outlet):
            session.delete(session.scalars(select(model)).one())
            session.flush()
    console.log_in()

    pages = {
        language: console.client.get("/brand/outlets", headers={**ORIGIN, "Accept-Language": language}).text
        for language in LANGUAGES
    }

    said = {"en": "No outlet yet.", "fi": "Ei vielä myymälöitä.", "sv": "Inga butiker ännu."}
    assert [language for language in LANGUAGES if said[language] not in pages[language]] == []
