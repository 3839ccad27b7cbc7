"""Proving a contact: by link, on another device, and for contacts that nobody holds."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import Database, keyring
from app.core.errors import LeimaError
from app.core.jobs import Job
from app.core.tables import Base
from app.members import service, sign_in
from app.members.codes import CodeUnusable
from app.members.contacts import ContactInvalid, ContactValue
from app.members.lookup import holder
from app.members.models import Contact, ContactCode, Member
from app.members.sign_in import CodeWrong, ConfirmWhereAsked
from tests.builders import BROWSER, a_brand, a_newcomer, a_proved_member, prove

PHONE, LAPTOP = BROWSER, "the cookie of another browser"


def link_of(session: Session, code: ContactCode) -> str:
    """Return the token of a code's link."""
    return keyring(session).text(code.link)


def ask(session: Session, contact: str, browser: str = LAPTOP) -> ContactCode:
    """Ask to sign in."""
    return sign_in.ask(session, contact=contact, purpose="sign_in", member=None, browser=browser, language="en")


def test_looking_behind_a_link_uses_nothing_up(session: Session) -> None:
    code = a_newcomer(session).code

    seen = [sign_in.peek(session, link_of(session, code), browser=PHONE) for _ in range(20)]

    assert {(peek.contact, peek.here) for peek in seen if peek} == {("a•••@example.com", True)}
    assert (code.tries, code.used_at) == (0, None)
    assert sign_in.confirm_link(session, link_of(session, code), browser=PHONE).member_id


@pytest.mark.parametrize("browser", ["", "the browser of who reads the mail"])
def test_link_opened_elsewhere_does_not_confirm_the_askers_card(sqlite: Database, browser: str) -> None:
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        asker = a_newcomer(session)
        link = link_of(session, asker.code)

    with pytest.raises(ConfirmWhereAsked), sqlite.unit(brand_id) as session:
        sign_in.confirm_link(session, link, browser=browser)

    with sqlite.reading(brand_id) as session:
        assert session.get_one(Member, asker.member.id).state == "provisional"
        peek = sign_in.peek(session, link, browser=browser)
        assert peek is not None  # it was not used up
        assert not peek.here


def test_link_opened_elsewhere_lets_nobody_into_a_card_that_is_held(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        owner = a_proved_member(session)
        stranger = a_newcomer(session, browser="the stranger's browser")
        link = link_of(session, stranger.code)

    with pytest.raises(ConfirmWhereAsked), sqlite.unit(brand_id) as session:
        sign_in.confirm_link(session, link, browser="the owner's browser")

    with sqlite.reading(brand_id) as session:
        assert service.live(session, stranger.member.id) is not None
        held = holder(session, ContactValue("email", "aino@example.com"))
        assert held is not None
        assert held.id == owner.id
        assert (
            sign_in.peek(session, link, browser=LAPTOP) is not None
        )  # it was not used up: its owner may still type the code


def test_link_of_a_till_sign_up_works_on_the_members_own_phone(session: Session) -> None:
    held = a_proved_member(session)
    code = a_newcomer(session, browser="", source="till").code

    proved = sign_in.confirm_link(session, link_of(session, code), browser="own phone")

    assert proved.member_id == held.id
    assert proved.merged_from is not None


def test_link_works_once(session: Session) -> None:
    code = a_newcomer(session).code
    prove(session, code)

    with pytest.raises(CodeUnusable):
        prove(session, code)
    assert sign_in.peek(session, link_of(session, code), browser=PHONE) is None
    assert sign_in.peek(session, "no such link", browser=PHONE) is None


def test_member_signs_in_on_another_device_by_code(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        member = a_proved_member(session)
        code = ask(session, "AINO@example.com")
        digits = keyring(session).text(code.code)

    ticket = sign_in.count_try(sqlite, brand_id, code.public_id)
    with sqlite.unit(brand_id) as session:
        proved = sign_in.confirm(session, ticket, digits=digits, browser=LAPTOP)

    assert (proved.member_id, proved.merged_from, proved.purpose) == (member.id, None, "sign_in")


def test_sign_in_link_opened_elsewhere_is_refused_and_stays_usable(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        a_proved_member(session)
        link = link_of(session, ask(session, "aino@example.com"))

    with pytest.raises(ConfirmWhereAsked), sqlite.unit(brand_id) as session:
        sign_in.confirm_link(session, link, browser=PHONE)
    with sqlite.unit(brand_id) as session:
        assert sign_in.confirm_link(session, link, browser=LAPTOP).purpose == "sign_in"


def test_unconfirmed_contact_of_a_newcomer_is_no_way_in(session: Session) -> None:
    a_newcomer(session)

    assert ask(session, "aino@example.com").member_id is None


def test_known_and_unknown_contact_leave_the_same_rows_and_jobs(session: Session) -> None:
    a_proved_member(session)

    def asking(contact: str) -> tuple[dict[str, int], set[str]]:
        tables = [table for table in Base.metadata.sorted_tables if "brand_id" in table.c]
        here = [(table.c.brand_id == session.info["brand_id"], table) for table in tables]
        before = {
            table.name: session.scalar(select(func.count()).select_from(table).where(w)) or 0 for w, table in here
        }
        row = ask(session, contact)
        after = {table.name: session.scalar(select(func.count()).select_from(table).where(w)) or 0 for w, table in here}
        filled = {name for name in ContactCode.__table__.c.keys() if getattr(row, name) is not None}  # noqa: SIM118
        return {name: after[name] - before[name] for name in before}, filled - {"member_id"}

    assert asking("aino@example.com") == asking("nobody@example.com")


def test_unknown_contact_gets_the_same_refusals_and_never_passes(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        a_proved_member(session)
        asked = {name: ask(session, f"{name}@example.com") for name in ("aino", "nobody")}
        right = keyring(session).text(asked["nobody"].code)
        known = keyring(session).text(asked["aino"].code)

    def refusals(name: str, digits: list[str]) -> list[tuple[str, str]]:
        told = []
        for guess in digits:
            try:
                ticket = sign_in.count_try(sqlite, brand_id, asked[name].public_id)
                with sqlite.unit(brand_id) as session:
                    sign_in.confirm(session, ticket, digits=guess, browser=LAPTOP)
                told.append(("passed", ""))
            except LeimaError as error:
                told.append((error.code, error.message))
        return told

    for_unknown = refusals("nobody", [right] * 6)
    for_known = refusals("aino", [f"{(int(known) + 1) % 1_000_000:06d}"] * 6)

    assert for_unknown == for_known
    assert [code for code, _ in for_unknown] == ["code_wrong"] * 5 + ["too_many_tries"]


def test_message_has_digits_and_link_for_a_card_and_says_kindly_that_there_is_none(session: Session) -> None:
    joined = a_newcomer(session)
    message = sign_in.message(session, joined.code.id)
    assert message is not None
    assert (message.to, message.digits) == ("aino@example.com", keyring(session).text(joined.code.code))
    assert message.link == link_of(session, joined.code)

    for_nobody = sign_in.message(session, ask(session, "nobody@example.com").id)

    assert for_nobody is not None
    assert (for_nobody.to, for_nobody.digits, for_nobody.link) == ("nobody@example.com", None, None)


def test_contact_without_a_card_hears_so_once_a_day(session: Session) -> None:
    ask(session, "nobody@example.com")

    assert sign_in.message(session, ask(session, "nobody@example.com").id) is None
    with clock.moved(by=timedelta(days=1, minutes=1)):
        assert sign_in.message(session, ask(session, "nobody@example.com").id) is not None


def test_nothing_is_sent_for_a_code_that_is_over(session: Session) -> None:
    used, late = a_newcomer(session).code, a_newcomer(session, "late@example.com").code
    prove(session, used)

    assert sign_in.message(session, used.id) is None
    with clock.moved(by=timedelta(minutes=11)):
        assert sign_in.message(session, late.id) is None
    assert sign_in.message(session, 0) is None


def test_asking_for_what_is_no_contact_is_refused(session: Session) -> None:
    with pytest.raises(ContactInvalid):
        ask(session, "nobody")


def test_code_of_a_contact_taken_out_of_the_profile_proves_nothing(session: Session) -> None:
    joined = a_newcomer(session)
    session.delete(session.scalars(select(Contact)).one())
    session.flush()

    with pytest.raises(CodeUnusable):
        prove(session, joined.code)


def test_jobs_hold_ids_only(session: Session) -> None:
    ask(session, "aino@example.com")

    assert all("aino" not in job.arguments for job in session.scalars(select(Job)))


def test_erased_member_cannot_sign_in(session: Session) -> None:
    member = a_proved_member(session)
    code = ask(session, "aino@example.com")
    session.get_one(Member, member.id).state = "erased"
    session.flush()

    with pytest.raises((CodeUnusable, CodeWrong)):
        prove(session, code, LAPTOP)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Collect the SQL that runs meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_others: object) -> None:
        sent.append(re.sub(r"(sa_savepoint)_\d+", r"\1", sql))

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("act", [ask, a_newcomer], ids=["sign_in", "join"])
def test_known_and_unknown_contact_run_the_same_sql(session: Session, act: Callable[[Session, str], object]) -> None:
    a_proved_member(session, "known@example.com")
    act(session, "before@example.com")  # the first time may load what the second finds

    runs = []
    for contact in ("known@example.com", "other@example.com"):
        with statements(session) as sent:
            act(session, contact)
        runs.append(sent)

    assert runs[0] == runs[1] != []
