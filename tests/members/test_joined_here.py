"""A form sent twice: the browser's own newcomer is found again, also when both arrive at once."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from app.core.db import Database
from app.members import codes, service
from app.members.contacts import ContactValue
from app.members.models import Member
from tests.builders import BROWSER, a_brand, a_form, a_newcomer, prove

MAIL = ContactValue("email", "aino@example.com")


def test_of_forms_that_arrive_at_once_one_makes_the_member(database: Database) -> None:
    brand_id = a_brand(database)

    def send(_number: int) -> int:
        with database.unit(brand_id) as session:
            known = codes.joined_here(session, MAIL, browser=BROWSER)
            return (known or service.join(session, a_form()).member).id

    with ThreadPoolExecutor(6) as threads:
        made = set(threads.map(send, range(6)))

    with database.reading(brand_id) as session:
        assert session.scalar(select(func.count(Member.id))) == len(made) == 1


def test_other_browsers_other_contacts_and_proved_members_are_not_found(database: Database) -> None:
    with database.unit(a_brand(database)) as session:
        joined = a_newcomer(session)
        assert codes.joined_here(session, MAIL, browser=BROWSER) is joined.member
        assert codes.joined_here(session, MAIL, browser="another") is None
        assert codes.joined_here(session, ContactValue("email", "b@example.com"), browser=BROWSER) is None

        prove(session, joined.code)

        assert codes.joined_here(session, MAIL, browser=BROWSER) is None


def test_only_cards_that_a_till_made_and_no_browser_asked_for_are_the_tills(database: Database) -> None:
    with database.unit(a_brand(database)) as session:
        owner = a_newcomer(session).member
        made = a_newcomer(session, source="till", browser="").member
        a_newcomer(session, source="till")
        a_newcomer(session, "other@example.com", source="till", browser="")

        assert codes.till_made(session, MAIL, but=owner.id) == [made]
        assert codes.till_made(session, MAIL, but=made.id) == []
