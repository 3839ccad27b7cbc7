"""Consents: a log in which the newest event holds, pending until the contact is proved."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.db import Database
from app.members import consents, service, wordings
from app.members.consents import ConsentNotOffered, ContactMissing
from app.members.models import ConsentEvent, Member, Wording
from app.members.wordings import WordingUnknown
from tests.builders import BROWSER, a_brand, a_newcomer, a_proved_member, prove

ALL = frozenset({"email", "sms", "push"})


def history(session: Session, member: Member, channel: str) -> list[tuple[str, str]]:
    """Return state and method of each event of a channel, the oldest first."""
    mine = (ConsentEvent.member_id == member.id, ConsentEvent.channel == channel)
    rows = session.scalars(select(ConsentEvent).where(*mine).order_by(ConsentEvent.id))
    return [(row.state, row.method) for row in rows]


def test_confirming_the_email_grants_the_email_consent_only(session: Session) -> None:
    member = a_proved_member(session, contact_2="0401234567", consents=ALL)

    states = {channel: event.state for channel, event in consents.current(session, member.id).items()}
    assert states == {"email": "granted", "sms": "pending", "push": "pending"}
    assert history(session, member, "email") == [("pending", "tick"), ("granted", "double_opt_in")]


def test_confirming_the_second_contact_grants_its_channel(session: Session) -> None:
    member = a_proved_member(session, contact_2="0401234567", consents=ALL)
    code = service.ask_again(session, member, browser=BROWSER)
    assert code is not None

    prove(session, code)

    assert consents.granted(session, member.id, "sms")
    assert service.ask_again(session, member, browser=BROWSER) is None


def test_grant_names_the_text_and_source_of_the_tick(session: Session) -> None:
    member = a_proved_member(session, source="poster", consents=frozenset({"email"}))

    pending, granted = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    assert (granted.wording_id, granted.wording_sha256) == (pending.wording_id, pending.wording_sha256)
    assert (granted.source, granted.member_id) == ("poster", member.id)


def test_push_waits_for_the_subscription(session: Session) -> None:
    member = a_proved_member(session, consents=frozenset({"push"}))
    assert not consents.granted(session, member.id, "push")

    consents.subscribed(session, member)
    again = consents.subscribed(session, member)

    assert again is None
    assert history(session, member, "push") == [("pending", "tick"), ("granted", "subscribed")]


def test_subscribing_without_a_tick_grants_nothing(session: Session) -> None:
    member = a_proved_member(session)

    assert consents.subscribed(session, member) is None
    assert not consents.granted(session, member.id, "push")


def test_each_change_in_the_profile_is_a_new_event(session: Session) -> None:
    member = a_proved_member(session)

    consents.give(session, member, "email", wording=None)
    consents.withdraw(session, member, "email")
    consents.give(session, member, "email", wording=None)

    assert [state for state, _ in history(session, member, "email")] == ["granted", "withdrawn", "granted"]
    assert {event.source for event in session.scalars(select(ConsentEvent))} == {"profile"}


def test_giving_or_withdrawing_what_is_so_already_writes_nothing(session: Session) -> None:
    member = a_proved_member(session)

    assert consents.withdraw(session, member, "email") is None
    first = consents.give(session, member, "email", wording=None)

    assert consents.give(session, member, "email", wording=None) is first
    consents.withdraw(session, member, "email")
    assert consents.withdraw(session, member, "email") is None
    assert len(history(session, member, "email")) == 2


def test_newer_text_renews_a_consent(session: Session) -> None:
    member = a_proved_member(session)
    consents.give(session, member, "email", wording=None)
    wordings.publish(session, kind="consent.email.marketing", language="en", text="a clearer sentence")

    renewed = consents.give(session, member, "email", wording=None)

    assert (renewed.state, session.get_one(Wording, renewed.wording_id).version) == ("renewed", 2)
    assert consents.granted(session, member.id, "email")


def test_consent_for_an_unconfirmed_contact_waits(session: Session) -> None:
    member = a_newcomer(session).member

    assert consents.give(session, member, "email", wording=None).state == "pending"
    assert not consents.granted(session, member.id, "email")


def test_pending_consent_can_be_withdrawn_and_is_not_granted_later(session: Session) -> None:
    joined = a_newcomer(session, consents=frozenset({"email"}))
    consents.withdraw(session, joined.member, "email")

    prove(session, joined.code)

    assert not consents.granted(session, joined.member.id, "email")


def test_consent_without_its_contact_asks_for_it(session: Session) -> None:
    member = a_proved_member(session)

    with pytest.raises(ContactMissing) as refused:
        consents.give(session, member, "sms", wording=None)
    assert refused.value.extra["kind"] == "phone"


def test_consent_that_the_brand_does_not_ask_for_cannot_be_given(session: Session) -> None:
    member = a_proved_member(session)

    with pytest.raises(ConsentNotOffered):
        consents.give(session, member, "wallet", wording=None)


def test_text_of_another_channel_is_no_proof(session: Session) -> None:
    member = a_proved_member(session)
    other = wordings.current(session, "consent.push.marketing", "en")
    assert other is not None

    with pytest.raises(WordingUnknown):
        consents.give(session, member, "email", wording=other.public_id)


def test_texts_are_offered_in_the_members_language_else_in_the_brands(session: Session) -> None:
    wordings.publish(session, kind="terms", language="fi", text="vain suomeksi")

    assert {row.language for row in wordings.offered(session, "sv").values()} == {"sv"}
    assert list(wordings.offered(session, "sv")) == ["email", "sms", "push"]
    fallback = wordings.current(session, "terms", "de")
    assert fallback is not None
    assert fallback.text == "vain suomeksi"
    assert wordings.current(session, "nothing", "fi") is None


@pytest.mark.parametrize("statement", ["UPDATE consent_event SET state = 'granted'", "DELETE FROM consent_event"])
def test_database_itself_refuses_to_change_the_log(database: Database, statement: str) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        a_newcomer(session, consents=frozenset({"email"}))

    with pytest.raises(DBAPIError, match="append-only"), database.unit(brand_id) as session:
        session.connection().execute(text(f"{statement} WHERE brand_id = :brand"), {"brand": brand_id})
