"""Two things at one moment around a confirmation: on PostgreSQL they would not see each other without the lock."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import Database, keyring
from app.delivery import subscriptions
from app.delivery.channel import PushKeys
from app.members import books, codes, consents, service, sign_in
from app.members.models import ConsentEvent, Contact, ContactCode, Member
from tests.builders import BROWSER, a_brand, a_newcomer, a_proved_member, prove
from tests.members.races import at_once

NUMBER = "+358401234567"
PATIENCE = 1.5  # seconds for the other side; with the lock it cannot come, and nobody waits longer


def withdraw_meanwhile(
    database: Database, brand_id: int, member_id: int, channel: str, patch: pytest.MonkeyPatch,
    act: Callable[[Session], object],
) -> None:  # fmt: skip
    """Run `act`, and withdraw the consent from another thread just after `act` has read that it waits."""
    reached, withdrawn, read = threading.Event(), threading.Event(), consents.current

    def slow(session: Session, member_id: int, **options: str) -> dict[str, ConsentEvent]:
        found = read(session, member_id, **options)
        if threading.current_thread().name == "act":
            reached.set()
            withdrawn.wait(PATIENCE)
        return found

    def run() -> None:
        with database.unit(brand_id) as session:
            act(session)

    patch.setattr(consents, "current", slow)
    acting = threading.Thread(target=run, name="act")
    acting.start()
    assert reached.wait(10)
    with database.unit(brand_id) as session:
        consents.withdraw(session, session.get_one(Member, member_id), channel)
    withdrawn.set()
    acting.join()


def test_consent_withdrawn_while_its_contact_is_confirmed_stays_withdrawn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        member = a_proved_member(session)
        code = service.add_contact(session, member, NUMBER, browser=BROWSER)
        consents.give(session, member, "sms", wording=None)
        link = keyring(session).text(code.link)

    withdraw_meanwhile(
        database, brand_id, member.id, "sms", monkeypatch,
        lambda session: sign_in.confirm_link(session, link, browser=BROWSER),
    )  # fmt: skip

    with database.reading(brand_id) as session:
        assert consents.current(session, member.id)["sms"].state == "withdrawn"
        assert books.check(session) == []


def test_push_consent_withdrawn_while_the_browser_subscribes_stays_withdrawn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        member = a_proved_member(session)
        consents.give(session, member, "push", wording=None)

    def act(session: Session) -> None:
        known = session.get_one(Member, member.id)
        subscriptions.subscribe(session, known, endpoint="https://push.example/1", keys=PushKeys("a", "b"))

    withdraw_meanwhile(database, brand_id, member.id, "push", monkeypatch, act)

    with database.reading(brand_id) as session:
        assert consents.current(session, member.id)["push"].state == "withdrawn"


def test_two_contacts_of_one_card_are_confirmed_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        holder = a_proved_member(session)
        session.add(Contact(member_id=holder.id, kind="phone", value=NUMBER, confirmed_at=clock.now()))
        joined = a_newcomer(session, "free@example.com", contact_2=NUMBER)
        second = service.add_contact(session, joined.member, NUMBER, browser=BROWSER)
        ids = (joined.code.id, second.id)
    use, both = codes.use, threading.Barrier(2)

    def slow(session: Session, row: ContactCode) -> None:
        use(session, row)
        try:
            both.wait(PATIENCE)  # without the lock each has used its code up, and then waits for the other
        except threading.BrokenBarrierError:
            return

    monkeypatch.setattr(codes, "use", slow)

    def act(number: int) -> int:
        with database.unit(brand_id) as session:
            return prove(session, session.get_one(ContactCode, ids[number])).member_id

    results = at_once(2, act)

    assert [result for result in results if not isinstance(result, int)] == []
    with database.reading(brand_id) as session:
        kept = service.live(session, joined.member.id)
        assert kept is not None
        assert kept.id == holder.id
        contacts = service.contacts_of(session, kept.id)
        assert {row.value for row in contacts if row.confirmed_at} == {"aino@example.com", "free@example.com", NUMBER}
        assert books.check(session) == []


def test_one_endpoint_subscribed_by_many_at_once_is_one_row(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        ids = [a_proved_member(session, f"aino{number}@example.com").id for number in range(8)]

    def act(number: int) -> int:
        with database.unit(brand_id) as session:
            member = session.get_one(Member, ids[number])
            return subscriptions.subscribe(session, member, endpoint="https://x.example", keys=PushKeys("a", "b")).id

    results = at_once(8, act)

    assert [result for result in results if not isinstance(result, int)] == []
    with database.reading(brand_id) as session:
        assert sum(len(subscriptions.of_member(session, member_id)) for member_id in ids) == 1
