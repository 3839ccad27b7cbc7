"""The register's invariants: silent on what the services write, loud on each planted fault."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.members import allowing, books, consents, scans, service
from app.members.models import ConsentEvent, Contact, ContactCode, Member, MemberCode, Wording
from tests.builders import a_newcomer, a_proved_member, a_till, prove


def a_busy_register(session: Session) -> tuple[Member, Member]:
    """Build a member with a history of consents, and one merged into it."""
    member = a_proved_member(session, contact_2="0401234567", consents=frozenset({"email", "sms", "push"}))
    consents.withdraw(session, member, "email")
    consents.give(session, member, "email", wording=None)
    newcomer = a_newcomer(session, consents=frozenset({"email"}))
    prove(session, newcomer.code)
    return member, newcomer.member


def event(session: Session, member: Member, state: str, channel: str = "email", **fields: object) -> None:
    """Plant a consent event."""
    wording = session.scalars(select(Wording).where(Wording.kind == f"consent.{channel}.marketing")).first()
    assert wording is not None
    row = {
        **{"channel": channel, "state": state, "at": clock.now(), "source": "web", "method": "tick"},
        **{"wording_id": wording.id, "wording_sha256": wording.sha256},
        **fields,
    }
    session.add(ConsentEvent(member_id=member.id, **row))


def _second_holder(session: Session, member: Member) -> None:
    session.execute(text("DROP INDEX uq_contact_confirmed"))
    other = a_newcomer(session, "eino@example.com").member
    session.add(Contact(member_id=other.id, kind="email", value="aino@example.com", confirmed_at=clock.now()))
    other.state = "confirmed"


def _provisional_with_contact(_session: Session, member: Member) -> None:
    member.state = "provisional"


def _merged_into_nobody(session: Session, _member: Member) -> None:
    a_newcomer(session, "eino@example.com").member.state = "merged"


def _circle(session: Session, member: Member) -> None:
    member.state, member.merged_into_id = "merged", member.id


def _no_code(session: Session, member: Member) -> None:
    session.execute(delete(MemberCode).where(MemberCode.member_id == member.id))


def _changed_text(session: Session, _member: Member) -> None:
    session.execute(update(Wording).where(Wording.kind == "terms").values(text="other terms"))


def _wrong_proof(session: Session, member: Member) -> None:
    event(session, member, "pending", "push", wording_sha256="0" * 64)


def _time_runs_back(session: Session, member: Member) -> None:
    event(session, member, "granted", at=clock.now() - timedelta(days=1))


def _withdrawn_twice(session: Session, member: Member) -> None:
    event(session, member, "withdrawn")
    event(session, member, "withdrawn", at=clock.now() + timedelta(seconds=1))


def _granted_without_contact(session: Session, member: Member) -> None:
    event(session, member, "granted", "sms")


def _too_many_tries(session: Session, _member: Member) -> None:
    session.execute(update(ContactCode).values(tries=6))


def _allowed_by_nobody(session: Session, member: Member) -> None:
    scans.read(session, service.codes_of(session, member.id).code, till=a_till(session)).may_redeem = True


def _allowed_too_late(session: Session, member: Member) -> None:
    scan = scans.read(session, service.codes_of(session, member.id).code, till=a_till(session))
    allowing.answer(session, member, allowing.ask(session, scan).public_id, allow=True).answered_at = scan.ends_at


PLANTED: dict[Callable[[Session, Member], None], str] = {
    _second_holder: "contacts_are_unique",
    _provisional_with_contact: "states_fit",
    _merged_into_nobody: "states_fit",
    _circle: "merges_end",
    _no_code: "codes_resolve",
    _changed_text: "consents_are_proved",
    _wrong_proof: "consents_are_proved",
    _time_runs_back: "consents_follow",
    _withdrawn_twice: "consents_follow",
    _granted_without_contact: "consents_follow",
    _too_many_tries: "tries_are_capped",
    _allowed_by_nobody: "scans_are_allowed",
    _allowed_too_late: "scans_are_allowed",
}


def test_what_the_services_write_keeps_the_books(session: Session) -> None:
    member, newcomer = a_busy_register(session)

    assert books.check(session) == []
    assert service.find_by_code(session, service.codes_of(session, newcomer.id).code) is member


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(session: Session, plant: Callable[[Session, Member], None]) -> None:
    member, _ = a_busy_register(session)

    plant(session, member)
    session.flush()

    assert f"members.{PLANTED[plant]}" in {line.split(":")[0] for line in books.check(session)}


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name for name, _ in books.INVARIANTS} == {f"members.{name}" for name in PLANTED.values()}
