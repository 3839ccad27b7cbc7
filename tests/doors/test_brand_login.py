"""The console's door: who gets in, for how long, and what guessing costs."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.network.models import Staff
from tests.doors.console import ORIGIN, PASSWORD, Console


def test_every_page_asks_for_a_log_in_and_goes_on_to_it(console: Console) -> None:
    answer = console.get("/brand/members?q=aino&page=2")

    assert answer.status_code == 303
    assert answer.location == "/brand/login?next=/brand/members%3Fq%3Daino%26page%3D2"
    assert console.log_in(next="/brand/members?q=aino&page=2").location == "/brand/members?q=aino&page=2"


@pytest.mark.parametrize(
    "wish",
    [
        "https://evil.example/",
        "//evil.example/brand",
        "/\\evil",
        "/till",
        "/brand\n/x",
        "/brandy",
        "/brand/../till",
        "/brand/%2e%2e/till",
        "/brand/..",
        "/brand//evil.example",
        "/brand/%2Fevil",
        "//[",
        "/brand/%5c..",
    ],
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
