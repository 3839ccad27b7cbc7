"""Joining in the member's door: a form sent twice, how many may join from one address, where people come from."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.core import clock
from tests.doors.memberside import Browser, count, newest_member
from tests.doors.tillside import TillSide

MAIL = "kaisla@mail.example"


def test_form_sent_twice_makes_one_member_and_one_message(till: TillSide) -> None:
    members, messages = count(till)
    phone = Browser(till)
    phone.get("join")

    answers = [phone.join(MAIL).location for _click in range(2)]

    assert answers == ["/meri/", "/meri/"]
    assert count(till) == (members + 1, messages + 1)
    assert "Confirm your email" in phone.get("").text


def test_form_sent_twice_at_the_same_time_makes_one_member(till: TillSide) -> None:
    members, messages = count(till)
    page = Browser(till)
    page.get("join")
    cookie = page.client.get_cookie("leima-browser")
    assert cookie is not None
    tabs = [Browser(till) for _tab in range(4)]
    for tab in tabs:
        tab.client.set_cookie("leima-browser", cookie.value)

    with ThreadPoolExecutor(4) as threads:
        moment = clock.now()

        def send(tab: Browser) -> int:
            with clock.moved(to=moment):
                return tab.join(MAIL).status_code

        assert list(threads.map(send, tabs)) == [303] * 4

    assert count(till) == (members + 1, messages + 1)


def test_another_contact_browser_or_hour_makes_another_member(till: TillSide) -> None:
    members, _messages = count(till)
    phone = Browser(till)
    phone.join(MAIL)
    phone.join("someone.else@mail.example")
    Browser(till).join(MAIL)
    with clock.moved(by=timedelta(minutes=11)):
        phone.join(MAIL)

    assert count(till)[0] == members + 4


def test_who_signed_in_with_a_contact_does_not_reach_its_card_by_joining(till: TillSide) -> None:
    phone, members = Browser(till), count(till)[0]
    contact = till.side.members[0].contact
    phone.post("sign-in", contact=contact)

    phone.join(contact)

    assert count(till)[0] == members + 1
    assert till.side.members[0].first_name not in phone.get("profile").text


def test_slips_do_not_use_up_the_joins_of_an_address(till: TillSide) -> None:
    slips = [Browser(till).join("no contact").status_code for _slip in range(70)]
    joins = [Browser(till).join(f"guest{number}@mail.example").status_code for number in range(61)]

    assert slips == [422] * 70
    assert joins == [303] * 60 + [429]


def test_all_submits_of_an_address_have_a_limit(till: TillSide) -> None:
    answers = [Browser(till).join("no contact").status_code for _slip in range(201)]

    assert answers == [422] * 200 + [429]


def test_link_of_an_outlet_that_is_not_there_counts_as_the_web(till: TillSide) -> None:
    Browser(till).join(MAIL, source="outlet:nope")
    nowhere = newest_member(till)
    Browser(till).join("other@mail.example", source="outlet:kallio")
    there = newest_member(till)

    assert (nowhere.source, nowhere.outlet_id) == ("web", None)
    assert there.source == "outlet"
    assert there.outlet_id is not None
