"""The brand console: who gets in, what they see, and whose members are nobody's business."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards.models import Program, ProgramVersion
from app.cards.service import record_purchase
from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.ledger.service import Basket
from app.members.models import Contact, Member
from app.network import staff
from app.network.models import Brand, Reseller, Staff, Till
from app.rewards.models import Reward
from app.wsgi import create_app
from tests.builders import a_brand, a_member, a_proved_member

PASSWORD = "a long enough password"
ORIGIN = {"Origin": "http://localhost:8000", "Accept-Language": "en"}


@dataclass(frozen=True)
class Console:
    """A brand with an administrator and one member, and a browser."""

    database: Database
    brand_id: int
    foreign_id: int
    client: FlaskClient

    def log_in(self, email: str = "kaisa@meri.example", password: str = PASSWORD, **form: str) -> TestResponse:
        return self.client.post("/brand/login", data={"email": email, "password": password, **form}, headers=ORIGIN)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=ORIGIN)

    def person(self, email: str, role: str = "brand_admin", brand_id: int | None = None) -> None:
        with self.database.unit(brand_id or self.brand_id) as session:
            reseller = session.scalars(select(Reseller.id)).first() if role in ("reseller_manager", "cashier") else None
            person = Staff(email=email, name="Kaisa Salo", role=role, reseller_id=reseller)
            session.add(person)
            session.flush()
            staff.set_password(session, person, PASSWORD)


@pytest.fixture
def console(runtime: Runtime, sqlite: Database) -> Console:
    """Nobody is logged in yet."""
    brand_id, foreign_id = a_brand(sqlite, name="Meri Roastery"), a_brand(sqlite, "valo")
    for owner in (brand_id, foreign_id):
        with sqlite.unit(owner) as session:
            reward = Reward(slug="coffee", name={"en": "Free coffee"}, settlement_cents=250)
            program = Program(slug="coffee", name={"en": "Coffee card"}, unit={"en": ["stamp", "stamps"]})
            session.add_all([reward, program])
            session.flush()
            rule = {"per": "euros", "cents": 400, "award": 1}
            begins = clock.now() - timedelta(days=99)
            session.add(
                ProgramVersion(
                    program_id=program.id, number=1, valid_from=begins, size=10, reward_id=reward.id, rule=rule
                )
            )
    found = Console(sqlite, brand_id, foreign_id, create_app(runtime).test_client())
    found.person("kaisa@meri.example")
    return found


def test_every_page_asks_for_a_log_in_and_goes_on_to_it(console: Console) -> None:
    answer = console.get("/brand/members?q=aino&page=2")

    assert answer.status_code == 303
    assert answer.location == "/brand/login?next=/brand/members%3Fq%3Daino%26page%3D2"
    assert console.log_in(next="/brand/members?q=aino&page=2").location == "/brand/members?q=aino&page=2"


@pytest.mark.parametrize(
    "wish", ["https://evil.example/", "//evil.example/brand", "/\\evil", "/till", "/brand\n/x", "/brandy"]
)
def test_log_in_leads_nowhere_else(console: Console, wish: str) -> None:
    assert console.log_in(next=wish).location == "/brand"


def test_wrong_password_and_unknown_email_get_the_same_answer(console: Console) -> None:
    wrong = console.log_in(password="not the password")
    unknown = console.log_in("kaisb@meri.example")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text.replace("kaisb@", "kaisa@")


def test_eleventh_try_at_an_email_waits_even_with_the_right_password(console: Console) -> None:
    answers = [console.log_in(password="not it").status_code for _try in range(10)]

    right = console.log_in()

    assert (answers, right.status_code) == ([401] * 10, 429)
    assert "Too many tries" in right.text
    with clock.moved(by=timedelta(minutes=16)):
        assert console.log_in().status_code == 303


def test_tries_are_counted_by_address_too(console: Console) -> None:
    answers = [console.log_in(f"guess{n}@meri.example").status_code for n in range(31)]

    assert answers == [401] * 30 + [429]


@pytest.mark.parametrize("role", ["reseller_manager", "cashier"])
def test_reseller_is_refused_kindly_and_gets_no_session(console: Console, role: str) -> None:
    console.person("heidi@kulma.example", role)

    answer = console.log_in("heidi@kulma.example")

    assert (answer.status_code, "belongs to a reseller" in answer.text) == (403, True)
    assert "Set-Cookie" not in answer.headers
    assert console.get("/brand").status_code == 303


def test_person_who_leaves_or_changes_sides_is_out_at_once(console: Console) -> None:
    console.log_in()
    assert console.get("/brand").status_code == 200

    with console.database.unit(console.brand_id) as session:
        session.scalars(select(Staff)).one().ended_at = clock.now()

    assert console.get("/brand").status_code == 303


def test_session_ends_after_twelve_hours(console: Console) -> None:
    console.log_in()

    with clock.moved(by=timedelta(hours=12, seconds=1)):
        assert console.get("/brand").status_code == 303


def test_new_log_in_has_a_new_session_and_the_old_one_is_over(console: Console) -> None:
    console.log_in()
    old = console.client.get_cookie("leima-brand")
    console.log_in()
    new = console.client.get_cookie("leima-brand")

    assert old is not None
    assert new is not None
    assert old.value != new.value
    console.client.set_cookie("leima-brand", old.value)
    assert console.get("/brand").status_code == 303


def test_log_out_ends_the_session(console: Console) -> None:
    console.log_in()
    cookie = console.client.get_cookie("leima-brand")
    assert cookie is not None

    console.client.post("/brand/logout", headers=ORIGIN)
    console.client.set_cookie("leima-brand", cookie.value)

    assert console.get("/brand").status_code == 303


def test_log_in_from_another_site_is_refused(console: Console) -> None:
    form = {"email": "kaisa@meri.example", "password": PASSWORD}

    assert console.client.post("/brand/login", data=form, headers={"Origin": "https://evil.example"}).status_code == 403


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
    assert page.text.count("<table") == 4
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


@pytest.mark.parametrize("shape", ["{id}", "{id}x", "%00", "..%2f..", "' OR 1=1"])
def test_stranger_is_not_found(console: Console, shape: str) -> None:
    foreign = _member(console, console.foreign_id, first_name="Stranger")
    console.log_in()

    answer = console.get(f"/brand/members/{shape.format(id=foreign.public_id)}")

    assert (answer.status_code, "Stranger" in answer.text) == (404, False)
    assert "Nobody matches" in console.get("/brand/members?q=Stranger").text


def test_name_and_search_are_shown_as_text(console: Console) -> None:
    console.log_in()

    assert "<b>x" not in console.get("/brand/members?q=<b>x").text
